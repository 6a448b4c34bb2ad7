"""The configs of published recipes have their numbers."""
from __future__ import annotations

from fnmatch import fnmatch

import pytest
from mmengine.optim import build_optim_wrapper

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


@pytest.mark.parametrize('path', find('*_visda2017-*'), ids=lambda p: p.stem)
def test_crops_of_visda(path):
    """TLlib and DWL take the centre, the others what they take elsewhere."""
    crop = ('RandomResizedCrop' if path.stem.startswith(
        ('cdan-e_', 'gvb_', 'ssrt_')) else 'CenterCrop')
    pair = load(path).train_dataloader.dataset
    for domain in (pair.source, pair.target):
        assert crop in [step.type for step in domain.pipeline]
