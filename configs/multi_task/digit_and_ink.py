"""A model of two tasks and one domain, which nothing of ours but a mixin
makes ready for harmonization."""
import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from torch import nn

from mmgh.task_losses import TaskLossMixin


@MODELS.register_module()
class DigitAndInk(TaskLossMixin, BaseModel):
    """Reads a digit, and tells how bright its image is."""

    tasks = dict(loss_digit='digit', loss_ink='ink')

    def __init__(self, backbone, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.backbone = MODELS.build(backbone)
        self.digit = nn.Linear(512, 10)
        self.ink = nn.Linear(512, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        features = self.backbone(inputs)[-1].flatten(1)
        if mode == 'loss':
            # The features make `probe='features'` possible. Without them,
            # just return the losses.
            return self.losses_at(features, self.losses, inputs, data_samples)
        scores = self.digit(features).softmax(dim=1)
        if mode == 'tensor':
            return scores
        return [s.set_pred_score(p) for s, p in zip(data_samples, scores)]

    def losses(self, features, inputs, data_samples):
        labels = [sample.gt_label for sample in data_samples]
        brightness = inputs.mean(dim=(1, 2, 3))
        return dict(
            loss_digit=F.cross_entropy(
                self.digit(features), torch.cat(labels)),
            loss_ink=F.mse_loss(self.ink(features).squeeze(1), brightness))
