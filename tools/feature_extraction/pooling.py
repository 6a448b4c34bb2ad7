"""Pooling that takes the mean over pixels, and over nothing else."""
from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import Any, Iterator

from mmpretrain.models import GeneralizedMeanPooling, GlobalAveragePooling
from torch import Tensor, nn

from mmgh.input_error import InputError

# Necks that take a mean over places.
NECKS = (GlobalAveragePooling, GeneralizedMeanPooling)
ADVICE = ("For a network of timm take the backbone dict(type='mmgh."
          "TimmFeatures', model_name=...), which pools itself, and for a "
          "transformer of mmpretrain out_type='avg_featmap', both without "
          'such a neck.')


@contextmanager
def checked_pooling(model: nn.Module) -> Iterator[None]:
    """Refuse to pool what is no map of channels and pixels.

    Of tokens ``(N, L, C)`` or maps ``(N, H, W, C)`` necks such as
    ``GlobalAveragePooling`` take the mean over their channels as well, and
    say nothing.

    Args:
        model (nn.Module): A classifier, with or without a head.

    Raises:
        InputError: Where it runs on something else within this context.
    """
    channels = _channels_of_timm(model)

    def check(neck: nn.Module, inputs: tuple[Any, ...]) -> None:
        maps, = inputs
        for value in maps if isinstance(maps, (list, tuple)) else [maps]:
            _check_dimensions(neck, value)
        if channels and value.shape[1] not in channels:
            raise InputError(
                f'{type(neck).__name__} should get maps (N, C, H, W) of '
                f'{" or ".join(map(str, sorted(channels)))} channels, which '
                'the network of timm has, but got shape '
                f'{tuple(value.shape)}. {ADVICE}')

    with ExitStack() as stack:
        for part in model.modules():
            if isinstance(part, NECKS):
                hook = part.register_forward_pre_hook(check)
                stack.callback(hook.remove)
        yield


def _check_dimensions(neck: nn.Module, value: Tensor) -> None:
    """Refuse another number of them: torch takes one less for a single
    image."""
    places = {nn.AdaptiveAvgPool1d: 1, nn.AdaptiveAvgPool3d: 3}.get(
        type(getattr(neck, 'gap', None)), 2)
    if value.dim() != places + 2:
        raise InputError(
            f'{type(neck).__name__} should get maps of {places + 2} '
            'dimensions, images, channels and places, but got shape '
            f'{tuple(value.shape)}. {ADVICE}')


def _channels_of_timm(model: nn.Module) -> set[int]:
    """Return how many channels the output of a ``TIMMBackbone`` may have;
    none for another backbone."""
    network = getattr(model.backbone, 'timm_model', None)
    info = getattr(network, 'feature_info', None)
    if hasattr(info, 'channels'):  # of `features_only`
        return {info.channels()[-1]}
    return {getattr(network, name)
            for name in ('num_features', 'head_hidden_size')
            if hasattr(network, name)}
