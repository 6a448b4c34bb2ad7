from __future__ import annotations

from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from mmgh.input_error import InputError, InputTypeError
from mmgh.models.tasks_of_heads import TasksOfHeads
from mmgh.models.uda_heads import DomainOutput
from mmgh.nested import flatten_tensors
from mmgh.registry import MODELS
from mmgh.task_losses import LateBase, with_base
from .seg_domain_pair_preprocessor import SegDomainPairDataPreprocessor
from .seg_uda_head import SegUDAHead


class _Extracted(NamedTuple):
    """Features, where a method takes images and extracts them."""

    feats: Any


@MODELS.register_module()
class UDASegmentor(TasksOfHeads, LateBase):
    """A segmentor of mmseg that adapts to an unlabelled target domain.

    It is the ``EncoderDecoder`` of the same config plus a UDA head. All other
    parts keep their names, so that checkpoints load, and so that a trained one
    loads back into a plain ``EncoderDecoder``. It predicts like one.

    In training the losses of the decode head and of auxiliary heads on the
    source are the task ``cls`` and the losses of the UDA head the task
    ``alignment``. The network runs once per domain; the decode head runs once
    more on the source, for the maps that are aligned.

    mmseg is imported when one is built.

    Args:
        uda_head (dict | nn.Module): Config of a UDA head that is a
            :class:`SegUDAHead`. ``num_classes`` defaults to the channels of
            the decode head.
        *args, **kwargs: Arguments of ``mmseg.models.EncoderDecoder``.

    Raises:
        RuntimeError: If mmseg is not there.

    Example:
        >>> _base_ = 'mmseg::fcn/fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py'
        >>> model = dict(
        ...     type='mmgh.UDASegmentor',
        ...     uda_head=dict(type='mmgh.AdaptSegNetHead'))
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> UDASegmentor:
        """Derive it from the ``EncoderDecoder`` of mmseg."""
        return object.__new__(with_base(cls, _encoder_decoder()))

    def __init__(self, *args, uda_head: dict | nn.Module, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.out_channels < 2:
            raise InputError(
                '`decode_head.out_channels` should be at least 2, one for '
                f'each class, but got {self.out_channels}.')
        if isinstance(uda_head, dict):
            uda_head = MODELS.build(
                {'num_classes': self.out_channels, **uda_head})
        if not isinstance(uda_head, SegUDAHead):
            raise InputTypeError(
                "`uda_head` should be a config such as dict(type="
                "'mmgh.AdaptSegNetHead') of a subclass of `mmgh.models."
                f'SegUDAHead`, but got {type(uda_head).__name__}.')
        uda_head.check_tasks()
        self.uda_head = uda_head
        self.data_preprocessor = SegDomainPairDataPreprocessor(
            self.data_preprocessor)

    def loss(self, inputs: dict[str, Tensor],
             data_samples: list) -> dict[str, Tensor]:
        """Compute the losses of one training iteration.

        Args:
            inputs (dict[str, Tensor]): Images of ``source`` and ``target``,
                shape ``(N, C, H, W)`` each.
            data_samples (list[SegDataSample]): Labels of the source images.

        Returns:
            dict[str, Tensor]: What all heads return, with the names of mmseg:
            ``decode.loss_ce``, ``aux.loss_ce``.
        """
        feats = [self.extract_feat(inputs[name])
                 for name in ('source', 'target')]
        sizes = [inputs[name].shape[2:] for name in ('source', 'target')]
        return self.losses_at(feats, self._losses_of_heads, sizes,
                              data_samples)

    def extract_feat(self, inputs: Tensor | _Extracted) -> Any:
        """Do as the parent, unless that was done."""
        if isinstance(inputs, _Extracted):
            return inputs.feats
        return super().extract_feat(inputs)

    def _losses_of_heads(self, feats: list, sizes: list,
                         data_samples: list) -> dict[str, Tensor]:
        losses = super().loss(_Extracted(feats[0]), data_samples)
        uda_losses = self.uda_head.loss(
            *map(self._domain_output, feats, sizes))
        return self.joined(losses, uda_losses)

    def _domain_output(self, feats: Any, size: tuple) -> DomainOutput:
        """Return what the UDA head sees.

        Where the decode head has dropout or batch norm, this is another run
        of it than that of its loss.
        """
        logits = flatten_tensors(self.decode_head(feats))[0]
        logits = F.interpolate(
            logits,
            size=size,
            mode='bilinear',
            align_corners=self.align_corners)
        return DomainOutput(feats, logits, self.decode_head, feats)


def _encoder_decoder() -> type:
    try:
        from mmseg.models import EncoderDecoder
    except (ImportError, AssertionError) as error:  # of versions, too
        raise RuntimeError(
            '`mmgh.UDASegmentor` needs mmsegmentation and an mmcv that it '
            f'goes with, but importing it failed: {error}') from error
    return EncoderDecoder
