from __future__ import annotations

from typing import Sequence

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmpretrain.models import RevVisionTransformer
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmgh.arguments import FLAG, list_of, number
from mmgh.classifier_outputs import scores_of
from mmgh.input_error import InputTypeError
from mmgh.registry import MODELS
from .layers.perturbed_input import perturbed_input
from .uda_classifier import UDAClassifier


@MODELS.register_module()
class SSRTClassifier(UDAClassifier):
    r"""SSRT: a transformer that refines itself on perturbed target images.

    Besides the UDA head's alignment, the target goes through the network a
    second time, with perturbed tokens. At the input of a random layer, the
    tokens :math:`b_x` of a sample move towards those of another target
    sample:

    .. math::
        \tilde b_x = b_x + r \alpha [b_{x_r} - b_x]_\times

    where no gradient flows through :math:`[\cdot]_\times`. The loss of this
    *self-refinement* is :math:`r w D_{KL}` between the predictions on clean
    and on perturbed tokens, over the samples whose teacher is confident. In
    each iteration a fair coin tells which of the two is the teacher.

    Without perturbation it is 0 only if nothing else differs between the two
    passes. Dropout differs, and so does batch norm in training with
    ``domain_forward='joint'``, where only the clean pass has the source in its
    batch: with the published bottleneck, which has both, a small loss is left.

    :math:`r` is the buffer ``adaptation_strength``: 1, unless
    :class:`mmgh.hooks.SafeTrainingHook` controls it by the ``diversity`` that
    this model logs, the number of classes predicted in a target batch.

    The task ``cls`` is the first one, ``alignment`` (with the refinement) the
    second, whatever the UDA head says.

    Args:
        *args: Arguments of :class:`UDAClassifier`. The backbone should be
            mmpretrain's ``VisionTransformer``, or another one with token
            blocks in ``layers``. Activation checkpointing is for its layers,
            not for the backbone as a whole.
        perturbed_layers (Sequence[int]): Layers to choose from. Defaults to
            ``(0, 4, 8)``.
        perturbation (float): Share :math:`\alpha` of the other sample's
            tokens, in [0, 1]. Defaults to 0.3.
        refinement_weight (float): Factor :math:`w`. Defaults to 0.2.
        confidence (float): The teacher's highest probability should be above
            it, in [0, 1). Defaults to 0.4.
        teacher_gradient (bool): Whether the teacher learns from the student,
            too, as in the published code. Defaults to False.
        **kwargs: Arguments of :class:`UDAClassifier`.

    Source: Safe Self-Refinement for Transformer-based Domain Adaptation
    (CVPR 2022), section 3.

    Example:
        >>> model = dict(
        ...     type='mmgh.SSRTClassifier',
        ...     backbone=dict(type='VisionTransformer', arch='base'),
        ...     head=dict(
        ...         type='LinearClsHead', in_channels=768, num_classes=31),
        ...     uda_head=dict(
        ...         type='mmgh.DANNHead',
        ...         loss_weight=2,
        ...         reversal=dict(
        ...             alpha=1, warmup_iters=1000, max_coefficient=0.1)))
        >>> custom_hooks = [dict(type='mmgh.SafeTrainingHook')]
    """

    # As in the published GH code of SSRT.
    pairs = (('cls', 'alignment'), )
    adaptation_strength: Tensor

    def __init__(self,
                 *args,
                 perturbed_layers: Sequence[int] = (0, 4, 8),
                 perturbation: float = 0.3,
                 refinement_weight: float = 0.2,
                 confidence: float = 0.4,
                 teacher_gradient: bool = False,
                 **kwargs) -> None:
        super().__init__(*args, **kwargs)
        _check_layers(self.backbone, perturbed_layers)
        number(at_least=0, at_most=1).check(perturbation=perturbation)
        number(at_least=0).check(refinement_weight=refinement_weight)
        number(at_least=0, below=1).check(confidence=confidence)
        FLAG.check(teacher_gradient=teacher_gradient)
        self.perturbed_layers = tuple(perturbed_layers)
        self.perturbation = perturbation
        self.refinement_weight = refinement_weight
        self.confidence = confidence
        self.teacher_gradient = teacher_gradient
        # Not saved: it belongs to the hook that sets it.
        self.register_buffer(
            'adaptation_strength', torch.ones(()), persistent=False)

    @property
    def tasks(self) -> dict[str, str]:
        """The task of each loss."""
        return {**super().tasks, 'loss_refinement': 'alignment'}

    def _extract_pair(self, inputs: dict[str, Tensor]) -> tuple:
        """Return features of both domains, and of the perturbed target."""
        return (*super()._extract_pair(inputs),
                self._extract_perturbed(inputs['target']))

    @torch.compiler.disable
    def _extract_perturbed(self, images: Tensor) -> tuple:
        """Return features of the neck, with tokens perturbed in one layer."""
        choice = torch.randint(len(self.perturbed_layers), ())
        layer = self.backbone.layers[self.perturbed_layers[choice]]
        strength = self.perturbation * self.adaptation_strength
        with perturbed_input(layer, strength):
            return self.extract_feat(images)

    def _losses_of_heads(self, feats: tuple,
                         data_samples: list[DataSample]) -> dict[str, Tensor]:
        source, target, perturbed = feats
        losses = super()._losses_of_heads((source, target), data_samples)
        clean_scores = scores_of(self.head, target)
        loss = self._refinement(clean_scores, scores_of(self.head, perturbed))
        weight = self.refinement_weight * self.adaptation_strength
        return dict(
            losses,
            loss_refinement=weight * loss,
            diversity=_count_predicted(clean_scores),
            adaptation_strength=self.adaptation_strength)

    def _refinement(self, clean: Tensor, perturbed: Tensor) -> Tensor:
        """Compute mean divergence of the student from its confident teacher.

        Args:
            clean (Tensor): Class scores, shape ``(N, C)``.
            perturbed (Tensor): Of perturbed tokens, likewise.

        Returns:
            Tensor: A scalar; 0 if no teacher is confident.
        """
        is_clean_teacher = torch.rand(()) < 0.5
        teacher, student = (
            (clean, perturbed) if is_clean_teacher else (perturbed, clean))
        if not self.teacher_gradient:
            teacher = teacher.detach()
        teacher = teacher.log_softmax(dim=1)
        divergence = F.kl_div(
            student.log_softmax(dim=1),
            teacher,
            reduction='none',
            log_target=True).sum(dim=1)
        is_confident = teacher.detach().exp().amax(dim=1) > self.confidence
        return (divergence * is_confident).sum() / is_confident.sum().clamp(
            min=1)


@torch.no_grad()
def _count_predicted(scores: Tensor) -> Tensor:
    """Count the classes predicted for a batch, over all ranks."""
    is_predicted = scores.new_zeros(scores.shape[1], dtype=torch.float32)
    is_predicted.index_fill_(0, scores.argmax(dim=1), 1)
    all_reduce(is_predicted, op='max')
    return is_predicted.sum()


def _check_layers(backbone: nn.Module, indices: Sequence[int]) -> None:
    layers = getattr(backbone, 'layers', None)
    # A reversible network computes its activations a second time, when the
    # perturbation is gone.
    if not (isinstance(layers, nn.ModuleList) and hasattr(
            backbone, 'patch_embed')) or isinstance(backbone,
                                                    RevVisionTransformer):
        raise InputTypeError(
            '`backbone` should be a VisionTransformer, or another transformer '
            'with token blocks in `layers`, but got '
            f'{type(backbone).__name__}.')
    list_of(
        number(
            at_least=0,
            below=len(layers),
            whole=True,
            since=f'the backbone has {len(layers)} layers')).check(
                perturbed_layers=indices)
