"""The models of step_cost.py, and its training steps, one per scheme."""
from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Callable, Iterable

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS, OPTIM_WRAPPERS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmgh.harmonizers import GHPlusPlus
from mmgh.task_losses import take_apart

SCHEMES = ('stock', 'parameters', 'modules', 'features', 'published',
           'torchjd')
# What the scheme `modules` compares the gradients on.
LAST_STAGES = {
    'resnet50': 'backbone.layer4',
    'vit-s': 'backbone.layers.11',
    'vit-b': 'backbone.layers.11'
}
PRECISIONS = dict(fp16='float16', bf16='bfloat16')  # of mixed precision


def build_model(name: str, image_size: int, num_classes: int,
                domain_forward: str) -> nn.Module:
    """DANN on a backbone with random weights."""
    if name == 'resnet50':
        classifier = resnet50(num_classes)
    else:
        classifier = vision_transformer(name, image_size, num_classes)
    # Past the warm-up of the reversal, where both tasks reach the backbone.
    uda_head = dict(type='mmgh.DANNHead', reversal=dict(warmup_iters=1))
    return MODELS.build(
        dict(
            type='mmgh.UDAClassifier',
            uda_head=uda_head,
            domain_forward=domain_forward,
            **classifier)).train()


def resnet50(num_classes: int) -> dict:
    return dict(
        backbone=dict(type='ResNet', depth=50),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='LinearClsHead', in_channels=2048, num_classes=num_classes))


def vision_transformer(name: str, image_size: int, num_classes: int) -> dict:
    arch, channels = {
        'vit-s': ('deit-small', 384),
        'vit-b': ('base', 768)
    }[name]
    return dict(
        backbone=dict(
            type='VisionTransformer',
            arch=arch,
            img_size=image_size,
            patch_size=16),
        head=dict(
            type='VisionTransformerClsHead',
            in_channels=channels,
            num_classes=num_classes))


def make_batch(size: int, image_size: int, num_classes: int,
               device: str) -> dict:
    """Noise images of both domains, as they leave the data loader."""
    source, target = torch.randn(
        2, size, 3, image_size, image_size, device=device)
    labels = torch.arange(size, device=device) % num_classes
    samples = [DataSample().set_gt_label(label) for label in labels]
    return dict(
        source=dict(inputs=source, data_samples=samples),
        target=dict(inputs=target))


def task_losses(model: nn.Module, batch: dict) -> list[Tensor]:
    """Losses of the alignment and of the classification."""
    inputs = model.data_preprocessor(batch, True)
    total, _ = model.parse_losses(model(**inputs, mode='loss'))
    return list(take_apart(total).by_task.values())


class WrapperStep:
    """As MMEngine's train loop steps with an optim wrapper."""

    def __init__(self, model: nn.Module, wrapper: OptimWrapper) -> None:
        wrapper.initialize_count_status(model, 0, 1_000_000)
        self.model = model
        self.wrapper = wrapper

    def __call__(self, batch: dict) -> None:
        self.model.train_step(batch, self.wrapper)


class PublishedStep:
    """The scheme of the published GH code: two backward passes to probe the
    gradients, and a third one on the weighted loss."""

    def __init__(self, model: nn.Module, shared: Iterable[Tensor],
                 optimizer: torch.optim.Optimizer,
                 autocast: AbstractContextManager) -> None:
        self.model = model
        self.shared = list(shared)
        self.optimizer = optimizer
        self.autocast = autocast
        self.harmonizer = GHPlusPlus()

    def __call__(self, batch: dict) -> None:
        with self.autocast:
            losses = task_losses(self.model, batch)
        weights = self.harmonizer(self._gramian(losses))
        (weights[0] * losses[0] + weights[1] * losses[1]).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def _gramian(self, losses: list[Tensor]) -> Tensor:
        gradients = [
            torch.autograd.grad(loss, self.shared, retain_graph=True)
            for loss in losses
        ]
        return torch.stack([
            sum(torch.dot(x.flatten(), y.flatten()) for x, y in zip(a, b))
            for a in gradients for b in gradients
        ]).view(2, 2)


class TorchJDStep:
    """TorchJD's Jacobian descent with UPGrad, from the features on."""

    def __init__(self, model: nn.Module, shared: Iterable[Tensor],
                 optimizer: torch.optim.Optimizer,
                 autocast: AbstractContextManager) -> None:
        from torchjd import aggregation, autojac
        self.model = model
        self.shared = list(shared)
        self.optimizer = optimizer
        self.autocast = autocast
        self.autojac = autojac
        self.aggregator = aggregation.UPGrad()

    def __call__(self, batch: dict) -> None:
        features: list[Tensor] = []  # one for each run of the backbone
        hook = self.model.backbone.register_forward_hook(
            lambda module, inputs, outputs: features.extend(outputs))
        with hook, self.autocast:
            losses = task_losses(self.model, batch)
        self.autojac.mtl_backward(
            losses, features=features, shared_params=self.shared)
        self.autojac.jac_to_grad(self.shared, self.aggregator)
        self.optimizer.step()
        self.optimizer.zero_grad()


def make_step(scheme: str, model: nn.Module, last_stage: str,
              optimizer: torch.optim.Optimizer,
              amp: str | None) -> Callable[[dict], None]:
    """A training step: ``step(batch)``, in mixed precision with the dtype
    ``amp``."""
    own_steps = dict(published=PublishedStep, torchjd=TorchJDStep)
    if scheme in own_steps:
        device = next(model.parameters()).device.type
        autocast = torch.autocast(
            device, getattr(torch, amp or 'bfloat16'), enabled=amp is not None)
        return own_steps[scheme](model, model.backbone.parameters(), optimizer,
                                 autocast)
    wrapper = dict(optimizer=optimizer)
    if amp:
        wrapper.update(dtype=amp)
    if scheme == 'stock':
        wrapper.update(type='AmpOptimWrapper' if amp else 'OptimWrapper')
    else:
        wrapper.update(
            type='mmgh.GHAmpOptimWrapper' if amp else 'mmgh.GHOptimWrapper',
            harmonizer=dict(type='mmgh.GHPlusPlus'),
            probe=scheme)
    if scheme == 'modules':
        wrapper.update(shared=[last_stage])
    return WrapperStep(model, OPTIM_WRAPPERS.build(wrapper))
