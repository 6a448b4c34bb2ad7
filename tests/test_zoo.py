"""Classifiers of mmpretrain's zoo train with harmonized gradients.

Each case changes a config of the zoo as a user would, by the type of the
model and that of the optim wrapper, builds it as the runner does, and takes
one training step on random images. Ten architectures are always tested. The
marker ``zoo`` adds one config of every backbone that the zoo classifies with:
``pytest -m zoo``.
"""
from __future__ import annotations

import inspect
from pathlib import Path

import mmgh  # noqa: F401, isort: skip
import mmpretrain
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import MODELS
from mmpretrain.registry import MODELS as ZOO_MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmgh.datasets.domain_pair_dataset import DomainPair

ZOO = Path(mmpretrain.__file__).parent / '.mim/configs'

# The smallest config of each, and the size of its images. It is 64 where the
# network allows, for speed.
ARCHITECTURES = {
    'ResNet': ('resnet/resnet18_8xb32_in1k', 64),
    'ViT': ('vision_transformer/vit-base-p32_64xb64_in1k', 64),
    'Swin': ('swin_transformer/swin-tiny_16xb64_in1k', 224),
    'ConvNeXt': ('convnext_v2/convnext-v2-atto_32xb32_in1k', 64),
    'MobileNetV3': ('mobilenet_v3/mobilenet-v3-small-050_8xb128_in1k', 64),
    'EfficientNet': ('efficientnet/efficientnet-b0_8xb32_in1k', 64),
    'DenseNet': ('densenet/densenet121_4xb256_in1k', 64),
    'RegNet': ('regnet/regnetx-400mf_8xb128_in1k', 64),
    'MLP-Mixer': ('mlp_mixer/mlp-mixer-base-p16_64xb64_in1k', 64),
    'DeiT': ('deit/deit-tiny-distilled_4xb256_in1k', 64),
}


@pytest.fixture(autouse=True)
def own_state(request):
    """A log of its own for each case; numpy draws the mixup ratios."""
    MessageHub.get_instance(request.node.name)
    np.random.seed(0)


def adapt(config_name: str, image_size: int) -> Config:
    """The config after the overrides that GH needs.

    The image size is set as well, for the speed of the tests. A checkpoint
    whose path the zoo leaves to the user is not loaded.
    """
    config = Config.fromfile(ZOO / f'{config_name}.py')
    config.model.type = 'mmgh.UDAClassifier'
    config.model.uda_head = dict(type='mmgh.CDANHead', entropy='reversed')
    config.optim_wrapper.type = 'mmgh.GHOptimWrapper'
    config.optim_wrapper.harmonizer = dict(type='mmgh.GHPlusPlus')
    backbone = config.model.backbone
    backbone = backbone.get('module', backbone)  # LoRA wraps a backbone
    backbone_class = ZOO_MODELS.get(backbone.type)
    if 'img_size' in inspect.signature(backbone_class).parameters:
        one_number = isinstance(backbone.get('img_size', 0), int)
        backbone.img_size = image_size if one_number else [image_size] * 2
    if "'checkpoint': ''" in str(backbone.get('init_cfg')):
        del backbone.init_cfg
    return config


def build(config: Config) -> tuple[nn.Module, OptimWrapper]:
    """Model and optim wrapper, as the runner builds them."""
    config.model.setdefault('data_preprocessor', config.data_preprocessor)
    model = MODELS.build(config.model)
    optim_wrapper = build_optim_wrapper(model, config.optim_wrapper)
    model.init_weights()
    optim_wrapper.initialize_count_status(model, 0, 10)
    return model, optim_wrapper


def warm_up(model: nn.Module) -> None:
    """Put the model where gradients may conflict, as they do later on.

    At first the reversal is off, and a head that starts with zeros, such as
    ViT's, passes no gradient to the backbone.
    """
    model.uda_head.reversal.iteration.fill_(5000)
    for parameter in model.head.parameters():
        if parameter.ndim > 1 and not parameter.any():
            nn.init.normal_(parameter, std=0.01)


def domain_pair(config: Config, image_size: int, size: int = 4) -> DomainPair:
    """Random images of both domains, labelled in the source only."""
    channels = len(config.data_preprocessor.mean)
    source, target = torch.randint(
        256, (2, size, channels, image_size, image_size), dtype=torch.uint8)
    labels = [DataSample().set_gt_label(i % 2) for i in range(size)]
    return DomainPair(
        source=dict(inputs=list(source), data_samples=labels),
        target=dict(inputs=list(target)))


def trained_parts(model: nn.Module) -> dict[str, nn.Module]:
    """The parts with trained parameters. VGG has none in its head."""
    parts = dict(
        backbone=model.backbone,
        head=model.head,
        discriminator=model.uda_head.discriminator)
    return {
        name: part
        for name, part in parts.items() if trained_parameters(part)
    }


def trained_parameters(module: nn.Module) -> list[nn.Parameter]:
    return [p for p in module.parameters() if p.requires_grad]


def feature_size(features: Tensor | tuple | list) -> int:
    """Entries of one image's features, which may be several tensors."""
    if isinstance(features, Tensor):
        return features[0].numel()
    return sum(feature_size(part) for part in features)


def check_training_step(config: Config, image_size: int) -> None:
    """Take a step and check what it logs and what it changes."""
    model, optim_wrapper = build(config)
    warm_up(model)
    batch = domain_pair(config, image_size)
    parts = trained_parts(model)
    before = {
        name: [p.detach().clone() for p in trained_parameters(part)]
        for name, part in parts.items()
    }

    log = model.train_step(batch, optim_wrapper)

    assert log['loss_cls'].isfinite() and log['loss_domain'].isfinite()
    torch.testing.assert_close(log['loss'],
                               log['loss_cls'] + log['loss_domain'])
    for name, part in parts.items():
        after = trained_parameters(part)
        assert all(p.isfinite().all() for p in after), name
        assert any(not torch.equal(p, q)
                   for p, q in zip(before[name], after)), name
    # Zero is the cosine of gradients that are zero or not finite.
    cosine = optim_wrapper.message_hub.get_scalar('train/cosine').current()
    assert -1 <= cosine <= 1 and cosine != 0
    with torch.no_grad():
        inputs = model.data_preprocessor(batch, training=True)['inputs']
        features = model.extract_feat(inputs['target'], stage='pre_logits')
    assert feature_size(features) == model.uda_head.in_channels


@pytest.mark.parametrize('config_name, image_size', ARCHITECTURES.values(),
                         ids=ARCHITECTURES)
def test_architecture(config_name, image_size):
    check_training_step(adapt(config_name, image_size), image_size)
