"""Classifiers of mmpretrain's zoo train with harmonized gradients.

Each case changes a config of the zoo as a user would, by the type of the
model and that of the optim wrapper, builds it as the runner does, and takes
one training step on random images. Ten architectures are always tested. The
marker ``zoo`` adds one config of every backbone that the zoo classifies with:
``pytest -m zoo``.
"""
from __future__ import annotations

import inspect
from copy import deepcopy
from pathlib import Path

import mmgh  # noqa: F401

# isort: split
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
from mmgh.optim import GHOptimWrapper

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

# One of the smallest configs of each backbone with a single-label head.
BACKBONES = {
    'BEiTViT': ('beit/benchmarks/beit-base-p16_8xb64_in1k', 64),
    'Conformer': ('conformer/conformer-tiny-p16_8xb128_in1k', 64),
    'ConvMixer': ('convmixer/convmixer-768-32_10xb64_in1k', 64),
    'ConvNeXt': ('convnext_v2/convnext-v2-atto_32xb32_in1k', 64),
    'CSPDarkNet': ('cspnet/cspdarknet50_8xb32_in1k', 64),
    'CSPResNet': ('cspnet/cspresnet50_8xb32_in1k', 64),
    'CSPResNeXt': ('cspnet/cspresnext50_8xb32_in1k', 64),
    'DaViT': ('davit/davit-tiny_4xb256_in1k', 224),
    'DeiT3': ('deit3/deit3-small-p16_64xb64_in1k', 64),
    'DenseNet': ('densenet/densenet121_4xb256_in1k', 64),
    'DistilledVisionTransformer': ('deit/deit-tiny-distilled_4xb256_in1k', 64),
    'EdgeNeXt': ('edgenext/edgenext-xxsmall_8xb256_in1k', 64),
    'EfficientFormer': ('efficientformer/efficientformer-l1_8xb128_in1k', 224),
    'EfficientNet': ('efficientnet/efficientnet-b0_8xb32_in1k', 64),
    'EfficientNetV2': ('efficientnet_v2/efficientnetv2-b0_8xb32_in1k', 64),
    'HiViT': ('hivit/hivit-tiny-p16_16xb64_in1k', 64),
    'HorNet': ('hornet/hornet-tiny_8xb128_in1k', 64),
    'HRNet': ('hrnet/hrnet-w18_4xb32_in1k', 64),
    'InceptionV3': ('inception_v3/inception-v3_8xb32_in1k', 128),
    'LeNet5': ('lenet/lenet5_mnist', 32),
    'LeViT': ('levit/levit-128s_8xb256_in1k', 64),
    'LoRAModel': ('vision_transformer/vit-base-p16_8xb64-lora_in1k-384px', 64),
    'MixMIMTransformer': ('mixmim/benchmarks/mixmim-base_8xb64_in1k', 224),
    'MlpMixer': ('mlp_mixer/mlp-mixer-base-p16_64xb64_in1k', 64),
    'MobileNetV2': ('mobilenet_v2/mobilenet-v2_8xb32_in1k', 64),
    'MobileNetV3': ('mobilenet_v3/mobilenet-v3-small-050_8xb128_in1k', 64),
    'MobileOne': ('mobileone/mobileone-s0_8xb32_in1k', 64),
    'MobileViT': ('mobilevit/mobilevit-xxsmall_8xb128_in1k', 64),
    'MoCoV3ViT':
    ('mocov3/benchmarks/vit-small-p16_8xb128-linear-coslr-90e_in1k', 64),
    'MViT': ('mvit/mvitv2-tiny_8xb256_in1k', 64),
    'PCPVT': ('twins/twins-pcpvt-small_8xb128_in1k', 64),
    'PoolFormer': ('poolformer/poolformer-s12_32xb128_in1k', 64),
    'PyramidVig': ('vig/pvig-tiny_8xb128_in1k', 224),
    'RegNet': ('regnet/regnetx-400mf_8xb128_in1k', 64),
    'RepLKNet': ('replknet/replknet-31L_32xb64_in1k-384px', 64),
    'RepMLPNet': ('repmlp/repmlp-base_8xb64_in1k', 64),
    'RepVGG': ('repvgg/repvgg-A0_8xb32_in1k', 64),
    'Res2Net': ('res2net/res2net50-w14-s8_8xb32_in1k', 64),
    'ResNeSt': ('resnest/resnest50_32xb64_in1k', 64),
    'ResNet': ('resnet/resnet18_8xb32_in1k', 64),
    'ResNet_CIFAR': ('resnet/resnet18_8xb16_cifar10', 32),
    'ResNetV1c': ('resnet/resnetv1c50_8xb32_in1k', 64),
    'ResNetV1d': ('resnet/resnetv1d50_8xb32_in1k', 64),
    'ResNeXt': ('resnext/resnext50-32x4d_8xb32_in1k', 64),
    'RevVisionTransformer': ('revvit/revvit-small_8xb256_in1k', 64),
    'RIFormer': ('riformer/riformer-s12_8xb128_in1k', 64),
    'SEResNet': ('seresnet/seresnet50_8xb32_in1k', 64),
    'SEResNeXt': ('seresnet/seresnext50-32x4d_8xb32_in1k', 64),
    'ShuffleNetV1': ('shufflenet_v1/shufflenet-v1-1x_16xb64_in1k', 64),
    'ShuffleNetV2': ('shufflenet_v2/shufflenet-v2-1x_16xb64_in1k', 64),
    'SVT': ('twins/twins-svt-small_8xb128_in1k', 64),
    'SwinTransformer': ('swin_transformer/swin-tiny_16xb64_in1k', 224),
    'SwinTransformerV2':
    ('swin_transformer_v2/swinv2-tiny-w8_16xb64_in1k-256px', 256),
    'T2T_ViT': ('t2t_vit/t2t-vit-t-14_8xb64_in1k', 64),
    'TinyViT': ('tinyvit/tinyvit-5m_8xb256_in1k', 64),
    'TNT': ('tnt/tnt-s-p16_16xb64_in1k', 64),
    'VAN': ('van/van-tiny_8xb128_in1k', 64),
    'VGG': ('vgg/vgg11_8xb32_in1k', 224),
    'Vig': ('vig/vig-tiny_8xb128_in1k', 224),
    'VisionTransformer': ('deit/deit-tiny_4xb256_in1k', 64),
    'ViTEVA02': ('eva02/eva02-tiny-p14_in1k', 56),
    'XCiT': ('xcit/xcit-nano-12-p16_8xb128_in1k', 64),
}

# What mmpretrain itself refuses to train.
DISTILLED = {
    'EfficientFormer': 'mmpretrain does not train its distilled head',
    'LeViT': 'mmpretrain does not train its distilled head',
}


@pytest.fixture(autouse=True)
def own_state(request, monkeypatch):
    """A log of its own for each case; numpy draws the mixup ratios, and RevViT
    takes seeds from the clock."""
    MessageHub.get_instance(request.node.name)
    np.random.seed(0)
    monkeypatch.setattr(torch, 'seed', lambda: 0)


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


def domain_pair(channels: int, image_size: int, size: int = 3) -> DomainPair:
    """Random images of both domains, labelled in the source only."""
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


def gradients(model: nn.Module, batch: DomainPair, backward) -> dict:
    """Gradients after a backward pass, always of the same forward pass."""
    torch.manual_seed(1)
    np.random.seed(1)
    model.uda_head.reversal.iteration.fill_(5000)
    model.zero_grad()
    # Mixup writes into the samples.
    data = model.data_preprocessor(deepcopy(batch), True)
    losses = model(**data, mode='loss')
    backward(model.parse_losses(losses)[0])
    return {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def check_every_gradient_is_harmonized(model: nn.Module,
                                       batch: DomainPair) -> None:
    """If both weights are 2, each gradient is twice that of the total."""
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(trained_parameters(model), lr=0.1),
        harmonizer=lambda gramian: gramian.new_full((2, ), 2.))
    plain = gradients(model, batch, torch.Tensor.backward)
    weighted = gradients(model, batch, wrapper.backward)
    model.zero_grad()
    assert list(weighted) == list(plain)
    scale = torch.stack([grad.norm() for grad in plain.values()]).norm()
    for name, grad in plain.items():
        error = (weighted[name] - 2 * grad).norm()
        assert error <= 1e-3 * grad.norm() + 1e-5 * scale, name


def check_training_step(config: Config, image_size: int) -> None:
    """Take a step and check what it logs and what it changes."""
    model, optim_wrapper = build(config)
    warm_up(model)
    batch = domain_pair(len(config.data_preprocessor.mean), image_size)
    check_every_gradient_is_harmonized(model, batch)
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
        changed = [not torch.equal(p, q) for p, q in zip(before[name], after)]
        assert sum(changed) > len(changed) / 2, name
    # Gradients that are zero or not finite would give zero, or round-off.
    cosine = optim_wrapper.message_hub.get_scalar('train/cosine').current()
    assert 1e-8 < abs(cosine) <= 1
    with torch.no_grad():
        inputs = model.data_preprocessor(batch, training=True)['inputs']
        features = model.extract_feat(inputs['target'], stage='pre_logits')
    assert feature_size(features) == model.uda_head.in_channels


@pytest.mark.parametrize(
    'config_name, image_size', ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_architecture(config_name, image_size):
    check_training_step(adapt(config_name, image_size), image_size)


# Of timm: a network of each kind that gives feature maps, and their channels.
OF_TIMM = dict(resnet18=512, convnext_atto=320, mobilenetv3_small_050=1024)


def of_timm(name: str) -> Config:
    """A config of the zoo with another backbone."""
    config = adapt(*ARCHITECTURES['ResNet'])
    config.model.backbone = dict(type='TIMMBackbone', model_name=name)
    config.model.neck = dict(type='GlobalAveragePooling')
    config.model.head.in_channels = OF_TIMM[name]
    return config


@pytest.mark.parametrize('name', OF_TIMM)
def test_backbone_of_timm(name):
    pytest.importorskip('timm')
    check_training_step(of_timm(name), 64)


def test_classifier_without_a_backbone_is_told_which_to_use():
    """As TimmClassifier and HuggingFaceClassifier; the type is replaced."""
    model = dict(
        type='mmgh.UDAClassifier',
        model_name='resnet18',
        num_classes=10,
        uda_head=dict(type='mmgh.CDANHead'))
    with pytest.raises(TypeError, match="TimmFeatures', model_name='resnet"):
        MODELS.build(model)


def test_config_for_mixed_precision_is_told_its_wrapper():
    """Of the zoo, changed as any other."""
    config = Config.fromfile(ZOO / 'resnet/resnet50_8xb32-fp16_in1k.py')
    config.optim_wrapper.type = 'mmgh.GHOptimWrapper'
    config.optim_wrapper.harmonizer = dict(type='mmgh.GH')
    with pytest.raises(TypeError, match="GHAmpOptimWrapper.*'loss_scale'"):
        build_optim_wrapper(nn.Linear(1, 1), config.optim_wrapper)


def test_first_step_of_a_new_model():
    """The reversal is off and DeiT's head is zero: no conflict is seen."""
    model, optim_wrapper = build(adapt(*ARCHITECTURES['DeiT']))
    model.train_step(domain_pair(3, 64), optim_wrapper)
    hub = optim_wrapper.message_hub
    assert hub.get_scalar('train/cosine').current() == 0
    assert hub.get_scalar('train/weight_cls').current() == 1
    assert hub.get_scalar('train/weight_alignment').current() == 1
    assert all(p.isfinite().all() for p in model.parameters())


def backbone_cases():
    for backbone, case in BACKBONES.items():
        marks = [pytest.mark.zoo]
        if backbone in DISTILLED:
            marks.append(
                pytest.mark.xfail(
                    strict=True,
                    raises=NotImplementedError,
                    reason=DISTILLED[backbone]))
        yield pytest.param(*case, id=backbone, marks=marks)


@pytest.mark.parametrize('config_name, image_size', [*backbone_cases()])
def test_backbone(config_name, image_size):
    check_training_step(adapt(config_name, image_size), image_size)


@pytest.mark.zoo
@pytest.mark.parametrize('backbone', DISTILLED)
def test_without_distillation(backbone):
    config_name, image_size = BACKBONES[backbone]
    config = adapt(config_name, image_size)
    config.model.head.distillation = False
    check_training_step(config, image_size)


@pytest.mark.zoo
def test_backbones_are_complete():
    """Whatever backbone the zoo classifies with is in ``BACKBONES``."""
    found = set()
    for path in ZOO.glob('*/**/*.py'):
        if '_base_' not in path.parts:
            found |= single_label_backbone(path)
    assert found == set(BACKBONES)


def single_label_backbone(path: Path) -> set[str]:
    """The backbone of a config, if it classifies into one class each."""
    try:
        model = Config.fromfile(path).get('model', {})
    except (ModuleNotFoundError, RuntimeError, KeyError):
        return set()  # it needs mmdet, or MMEngine cannot read it
    if not isinstance(model, dict) or model.get('type') != 'ImageClassifier':
        return set()
    head = model.get('head') or {}
    if head.get('type', 'MultiLabel').startswith(('MultiLabel', 'CSRA')):
        return set()
    return {model.backbone.type}
