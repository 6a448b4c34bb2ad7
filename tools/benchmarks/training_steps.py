"""Models to measure, and training steps, one per scheme."""
from __future__ import annotations

import importlib.util
from typing import Callable, Sequence

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS, OPTIM_WRAPPERS
from mmpretrain.structures import DataSample
from peer_steps import PEERS, REQUIRED, SharedModule
from torch import nn

SCHEMES = ('stock', 'parameters', 'modules', 'features', *PEERS)
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


class WrapperStep:
    """As MMEngine's train loop steps with an optim wrapper."""

    def __init__(self, model: nn.Module, wrapper: OptimWrapper) -> None:
        wrapper.initialize_count_status(model, 0, 1_000_000)
        self.model = model
        self.wrapper = wrapper

    def __call__(self, batch: dict) -> None:
        self.model.train_step(batch, self.wrapper)


def missing_schemes(schemes: Sequence[str]) -> dict[str, str]:
    """Why some of the schemes cannot run here, by their names."""
    return {
        scheme: f'{REQUIRED[scheme]} is not installed: no row for it.'
        for scheme in schemes if scheme in REQUIRED
        and importlib.util.find_spec(REQUIRED[scheme]) is None
    }


def make_step(scheme: str,
              model: nn.Module,
              last_stage: str,
              optimizer: torch.optim.Optimizer,
              amp: str | None = None,
              **options) -> Callable[[dict], None]:
    """A training step: ``step(batch)``.

    Args:
        scheme (str): One of ``SCHEMES``.
        model (nn.Module): A data-parallel one at most with our schemes.
        last_stage (str): What ``'modules'`` compares the gradients on.
        optimizer (torch.optim.Optimizer): Of the model.
        amp (str, optional): Type of mixed precision. Defaults to None: none.
        **options: Of the optim wrapper.
    """
    if scheme in PEERS:
        device = next(model.parameters()).device.type
        autocast = torch.autocast(
            device, getattr(torch, amp or 'bfloat16'), enabled=amp is not None)
        return PEERS[scheme](SharedModule(model, 'backbone'), optimizer,
                             autocast)
    wrapper = dict(optimizer=optimizer, **options)
    if amp:
        wrapper.update(dtype=amp)
    if scheme == 'stock':
        wrapper.update(type='AmpOptimWrapper' if amp else 'OptimWrapper')
    else:
        wrapper.setdefault('harmonizer', dict(type='mmgh.GHPlusPlus'))
        wrapper.update(
            type='mmgh.GHAmpOptimWrapper' if amp else 'mmgh.GHOptimWrapper',
            probe=scheme)
    if scheme == 'modules':
        wrapper.update(shared=[last_stage])
    return WrapperStep(model, OPTIM_WRAPPERS.build(wrapper))
