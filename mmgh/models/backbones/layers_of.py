from __future__ import annotations

import math
from typing import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmgh.arguments import COUNT, FLAG, NAMES, OPTIONS, list_of
from mmgh.input_error import InputError
from mmgh.registry import MODELS


@MODELS.register_module()
class LayersOf(BaseModule):
    """Runs some layers of a network, one after the other.

    It splits a network in two: tools/extract_features.py computes once what
    the first layers make of the images, and the last ones are trained from
    there, which is fine-tuning at the price of these alone. It fits networks
    that run the named layers in this order, with nothing between them.

    Args:
        network (dict): Config of the backbone. It is initialised as its config
            says.
        layers (Sequence[str]): Names of layers, as in ``named_modules`` of
            the backbone, in the order in which they run.
        in_shape (Sequence[int], optional): Shape of an input, such as ``(C, H,
            W)``, where inputs come as vectors. Defaults to None: they are
            taken as they come.
        flatten (bool): Whether outputs become vectors. Defaults to False.
        norm_eval (bool): Whether batch normalisation keeps its statistics in
            training, as ``norm_eval`` of mmpretrain's ResNet does: those of
            a pretrained network are worth more than what a few small batches
            of two domains make of them. Its scale and shift are still
            trained. Defaults to False.

    Raises:
        ValueError: If the backbone has no such layer, or inputs do not have
            the size of ``in_shape``.

    Example:
        >>> backbone = dict(type='mmgh.PassOn')
        >>> neck = [
        ...     dict(type='mmgh.LayersOf', in_shape=(256, 14, 14),
        ...          network=dict(type='ResNet', depth=18),
        ...          layers=['layer4']),
        ...     dict(type='GlobalAveragePooling')]
    """

    def __init__(self,
                 network: dict,
                 layers: Sequence[str],
                 in_shape: Sequence[int] | None = None,
                 flatten: bool = False,
                 norm_eval: bool = False) -> None:
        super().__init__()
        OPTIONS.check(network=network)
        NAMES.check(layers=layers)
        list_of(COUNT).or_none().check(in_shape=in_shape)
        FLAG.check(flatten=flatten, norm_eval=norm_eval)
        whole = MODELS.build(network)
        there = dict(whole.named_modules())
        unknown = [name for name in layers if name not in there]
        if unknown:
            raise InputError(
                f'`layers` should be names of layers of {network["type"]}, '
                f'such as {list(dict(whole.named_children()))}, but got '
                f'{unknown}.')
        self.network = network
        self.names = tuple(layers)
        self.layers = nn.Sequential(*(there[name] for name in layers))
        self.in_shape = in_shape and tuple(in_shape)
        self.flatten = flatten
        self.norm_eval = norm_eval

    def train(self, mode: bool = True) -> LayersOf:
        """Switch between training and evaluation, as far as ``norm_eval``
        lets batch normalisation do so."""
        super().train(mode)
        for layer in self.modules() if self.norm_eval else ():
            if isinstance(layer, _BatchNorm):
                layer.eval()
        return self

    def init_weights(self) -> None:
        """Initialise the layers as their network does it."""
        whole = MODELS.build(self.network)
        whole.init_weights()
        for name, layer in zip(self.names, self.layers):
            layer.load_state_dict(whole.get_submodule(name).state_dict())

    def forward(self, x: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        """Run the layers on ``(N, ...)``, or on the last of such tensors."""
        if isinstance(x, (list, tuple)):
            x = x[-1]
        if self.in_shape:
            if x[0].numel() != math.prod(self.in_shape):
                raise InputError(
                    f'`in_shape` should have the size of an input, '
                    f'{tuple(x.shape[1:])}, but got {self.in_shape}.')
            x = x.reshape(len(x), *self.in_shape)
        x = self.layers(x)
        return (x.flatten(1) if self.flatten else x, )
