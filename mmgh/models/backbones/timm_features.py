from __future__ import annotations

from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmgh.arguments import COUNT, FLAG, NAME
from mmgh.input_error import InputError
from mmgh.registry import MODELS


@MODELS.register_module()
class TimmFeatures(BaseModule):
    """Runs a network of timm up to its classifier: one vector an image.

    Each network of timm pools in its own way: a class token, the mean of
    tokens, of pixels, or more layers behind the mean. ``TIMMBackbone`` of
    mmpretrain leaves that to a neck, and ``GlobalAveragePooling`` suits those
    alone whose output is a map of shape ``(N, C, H, W)``: of tokens it takes
    the mean over their channels, which is one number. Here timm pools itself.

    Needs timm: ``pip install timm``.

    Args:
        model_name (str): Of the network in timm.
        pretrained (bool): Whether it begins with timm's weights. Defaults to
            False.
        in_channels (int): Channels of an image. Defaults to 3.
        init_cfg (dict, optional): Initialisation, such as of type
            ``Pretrained``. Defaults to None: as timm initialises it.
        **kwargs: Options of ``timm.create_model``, such as ``img_size`` of
            networks that are made for one size.

    Raises:
        ValueError: If timm is not there, or has no such network.

    Source: https://huggingface.co/docs/timm/feature_extraction, "Pooled".

    Example:
        >>> backbone = dict(
        ...     type='mmgh.TimmFeatures', model_name='vit_tiny_patch16_224')
        >>> neck = dict(type='mmgh.Bottleneck', in_channels=192)
    """

    def __init__(self,
                 model_name: str,
                 pretrained: bool = False,
                 in_channels: int = 3,
                 init_cfg: dict | None = None,
                 **kwargs: Any) -> None:
        super().__init__(init_cfg)
        NAME.check(model_name=model_name)
        FLAG.check(pretrained=pretrained)
        COUNT.check(in_channels=in_channels)
        self.timm_model = _create(
            model_name,
            pretrained=pretrained,
            in_chans=in_channels,
            num_classes=0,
            **kwargs)
        # The second one is of timm before 1.0.
        self.num_features = getattr(self.timm_model, 'head_hidden_size',
                                    self.timm_model.num_features)

    def init_weights(self) -> None:
        """Initialise as ``init_cfg`` says; timm has done so without."""
        if self.init_cfg:
            super().init_weights()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return the features ``(N, D)`` of images ``(N, C, H, W)``.

        Raises:
            ValueError: If the network gives something else.
        """
        features = self.timm_model(x)
        shape = tuple(getattr(features, 'shape', ()))[1:]
        if shape != (self.num_features, ):
            raise InputError(
                '`model_name` should be a network that gives one vector of '
                f'{self.num_features} numbers an image, but '
                f'{type(self.timm_model).__name__} gives shape {shape}.')
        return (features, )


def _create(name: str, **options: Any) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise InputError('A network of timm needs timm: pip install timm.',
                         'model_name') from error
    try:
        return timm.create_model(name, **options)
    except Exception as error:  # timm names no common type
        reason = ' '.join(str(error).split())
        raise InputError(
            f'`model_name` should be a network of timm, but with {name!r} it '
            f'ends in {type(error).__name__}: {reason}',
            'model_name') from error
