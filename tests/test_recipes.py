"""The configs of published recipes have their numbers."""
from __future__ import annotations

import math
from fnmatch import fnmatch

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from PIL import Image
from torch import nn

from .config_names import HARMONIZED, NAMED, load
from .shrunk_configs import build_without_memory

RECIPES = [p for p in NAMED if p not in HARMONIZED]
# Rates of the backbone and of all other layers, decay, batch, iterations.
ONE_OPTIMIZER = {
    'cdan-e_resnet50_*_office31-*': (1e-3, 1e-2, 1e-3, 36, 8004),
    'cdan-e_resnet50_*_office-home-*': (1e-3, 1e-2, 1e-3, 36, 8004),
    'cdan-e_resnet50_*_visda2017-*': (3e-4, 3e-3, 1e-3, 36, 15002),
    'gvb_resnet50_*_office31-*': (3e-4, 3e-3, 1e-3, 36, 8004),
    'gvb_resnet50_*_office-home-*': (1e-3, 1e-2, 1e-3, 36, 8004),
    'gvb_resnet50_*_visda2017-*': (3e-4, 3e-3, 1e-3, 36, 15002),
    'dann_resnet50_1xb36-*_office31-*': (1e-3, 1e-2, 1e-3, 36, 8004),
    'dann_resnet50_1xb32-*_office31-*': (1e-3, 1e-2, 1e-3, 32, 20000),
    'dann_resnet50_*_office-home-*': (1e-3, 1e-2, 1e-3, 32, 30000),
    'dann_resnet101_*_visda2017-*': (1e-3, 1e-2, 1e-3, 32, 30000),
    'dann_resnet101_*_domainnet-*': (1e-3, 1e-2, 1e-3, 32, 75000),
    'cdan_resnet50_*_office31-*': (1e-3, 1e-2, 1e-3, 32, 20000),
    'cdan_resnet50_*_office-home-*': (1e-3, 1e-2, 1e-3, 32, 30000),
    'cdan_resnet101_*_visda2017-*': (1e-3, 1e-2, 1e-3, 32, 30000),
    'cdan_resnet101_*_domainnet-*': (1e-3, 1e-2, 1e-3, 32, 75000),
    'dwl_resnet50_1xb32-*_office31-*': (1e-3, 1e-3, 5e-4, 32, 20000),
    'dwl_resnet101_*_visda2017-*': (1e-3, 1e-3, 5e-4, 32, 20000),
    'ssrt_vit-base-p16_*_office31-*': (1e-4, 1e-3, 5e-4, 32, 10000),
    'ssrt_vit-base-p16_*_office-home-*': (4e-4, 4e-3, 5e-4, 32, 20000),
    'ssrt_vit-base-p16_*_visda2017-*': (2e-4, 2e-3, 5e-4, 32, 20000),
    'ssrt_vit-base-p16_*_domainnet-*': (4e-4, 4e-3, 5e-4, 32, 40000),
    '*_lenet_*_digits-mnist2usps': (1e-2, 1e-2, 1e-3, 128, 50000),
    '*_lenet_*_digits-usps2mnist': (1e-1, 1e-1, 1e-3, 128, 50000),
    'dann_dtn_*_digits-svhn2mnist': (3e-2, 3e-2, 1e-3, 128, 50000),
    'cdan*_dtn_*_digits-svhn2mnist': (1e-2, 1e-2, 1e-3, 128, 50000),
}
# Weight of the discrepancy, iterations.
MCD = {
    'office31': (10., 10000),
    'office-home': (30., 10000),
    'visda2017': (1., 10000),
    'domainnet': (120., 75000),
}


def find(pattern: str) -> list:
    return [path for path in RECIPES if fnmatch(path.stem, pattern)]


def rates_of(config) -> tuple[set[float], set[float]]:
    """Those of the backbone, and of all other layers."""
    model = build_without_memory(config)
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    pretrained = {id(p) for p in model.backbone.parameters()}
    rates: tuple[set, set] = (set(), set())
    for group in wrapper.optimizer.param_groups:
        for parameter in group['params']:
            rates[id(parameter) not in pretrained].add(round(group['lr'], 9))
    return rates


@pytest.mark.parametrize('pattern', ONE_OPTIMIZER)
def test_recipe_with_one_optimizer(pattern):
    backbone, others, decay, batch, iterations = ONE_OPTIMIZER[pattern]
    paths = find(pattern)
    assert paths
    for path in paths:
        config = load(path)
        assert rates_of(config) == ({backbone}, {others})
        optimizer = config.optim_wrapper.optimizer
        is_dwl = config.model.uda_head.type == 'mmgh.DWLHead'
        assert optimizer.type == 'SGD' and optimizer.momentum == 0.9
        assert optimizer.get('nesterov', False) == (not is_dwl)
        assert optimizer.weight_decay == decay
        assert (config.param_scheduler is None) == is_dwl
        assert config.train_dataloader.batch_size == batch
        assert config.train_cfg.max_iters == iterations


@pytest.mark.parametrize('dataset', MCD)
def test_recipe_of_mcd(dataset):
    weight, iterations = MCD[dataset]
    paths = find(f'mcd-alternating*_{dataset}-*')
    assert len(paths) == 2
    for path in paths:
        config = load(path)
        generator, classifier = (config.optim_wrapper[name].optimizer
                                 for name in ('generator', 'classifier'))
        for optimizer in (generator, classifier):
            assert (optimizer.type, optimizer.lr,
                    optimizer.weight_decay) == ('SGD', 1e-3, 5e-4)
        assert classifier.momentum == 0.9 and 'momentum' not in generator
        assert config.param_scheduler is None
        assert config.model.uda_head.loss_weight == weight
        assert config.model.uda_head.balance_weight == 0.01
        assert config.train_dataloader.batch_size == 32
        assert config.train_cfg.max_iters == iterations


@pytest.mark.parametrize('path', find('ssrt_vit-base*'), ids=lambda p: p.stem)
def test_perturbation_of_ssrt(path):
    expected = 0.2 if 'office31' in path.stem else 0.3
    assert load(path).model.perturbation == expected


# Of the source and of the target; all others resize what they crop.
CROPS = {
    'cdan-e_*_office31-*': ('RandomCrop', 'RandomResizedCrop'),
    'dann_*_1xb36-*_office31-*': ('RandomCrop', 'RandomResizedCrop'),
    'cdan-e_resnet50_*': ('RandomCrop', 'RandomCrop'),
    'gvb_resnet50_*': ('RandomCrop', 'RandomCrop'),
    'dwl_resnet*': ('CenterCrop', 'CenterCrop'),
    'ssrt_*': ('RandomResizedCrop', 'RandomResizedCrop'),
    '*_visda2017-*': ('CenterCrop', 'CenterCrop'),
    '*': ('RandomResizedCrop', 'RandomResizedCrop'),
}
PHOTOGRAPHS = [
    path for path in RECIPES
    if fnmatch(path.stem, '*_*_*[0-9]k_[ovd]*-*') and 'digits' not in path.stem
    and path.parent.name != 'features'
]


@pytest.mark.parametrize('path', PHOTOGRAPHS, ids=lambda p: p.stem)
def test_images_are_resized_and_cropped_as_published(path):
    """By pillow, for training and testing."""
    config = load(path)
    crops = next(CROPS[p] for p in CROPS if fnmatch(path.stem, p))
    pair = config.train_dataloader.dataset
    for domain, crop in zip((pair.source, pair.target), crops):
        steps = {step.type: step for step in domain.pipeline}
        assert {name for name in steps if 'Crop' in name} == {crop}
        assert steps[crop].get('backend', 'pillow') == 'pillow'
    for kind in ('val', 'test'):
        pipeline = config[f'{kind}_dataloader'].dataset.pipeline
        assert pipeline == config.test_pipeline
        for steps in (pipeline, domain.pipeline):
            assert steps[0].imdecode_backend == steps[1].backend == 'pillow'


def test_image_is_what_pillow_reads_and_resizes(tmp_path):
    """Of more detail than is left, so that antialiasing matters."""
    random = np.random.default_rng(0)
    path = tmp_path / 'image.png'
    Image.fromarray(
        random.integers(0, 256, (300, 500, 3), dtype=np.uint8)).save(path)
    steps = load(find('gvb_resnet50_*_office31-*')[0]).test_pipeline[:2]
    results = Compose(steps)(dict(img_path=str(path)))
    expected = Image.open(path).convert('RGB').resize(
        (256, 256), Image.Resampling.BILINEAR)
    assert np.array_equal(results['img'][..., ::-1], np.asarray(expected))


OF_GH = [
    path for pattern in ('cdan-e_resnet50_*', 'dann_*_1xb36-*',
                         'gvb_resnet50_*') for path in find(pattern)
]


@pytest.mark.parametrize('path', OF_GH, ids=lambda p: p.stem)
def test_new_layers_begin_as_in_the_code_of_gh(path):
    """By Kaiming normal, without biases; the first step aligns, and the map of
    CDAN is randomised."""
    torch.manual_seed(0)
    model = load(path).model
    sizes = dict(
        in_channels=model.head.in_channels, num_classes=model.head.num_classes)
    parts = [*model.neck, model.head, dict(model.uda_head, **sizes)]
    network = nn.ModuleList(MODELS.build(part) for part in parts)
    for part in network:
        part.init_weights()
    layers = [m for m in network.modules() if isinstance(m, nn.Linear)]
    assert len(layers) >= 5
    for layer in layers:
        expected = math.sqrt(2 / layer.in_features)
        error = 5 / math.sqrt(layer.weight.numel())
        assert layer.weight.std().item() == pytest.approx(expected, rel=error)
        assert not layer.bias.any()
    assert network[-1].reversal.coefficient > 0
    if hasattr(network[-1], 'multilinear_map'):
        assert network[-1].multilinear_map.out_channels == 1024
