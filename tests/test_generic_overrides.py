"""The two generic overrides harmonize every method, as it is to be done."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS

from mmgh.harmonizers import Harmonizer
from .shrunk_configs import make_batch, shrink

CONFIGS = Path(__file__).parents[1] / 'configs'
# Of the GH study, as in its published code; of all others the first.
PAIRS = {
    'gvb': [('alignment', 'cls'), ('bridge_g', 'bridge_d')],
    'dwl': [('alignment', 'discrepancy')],
    'mcd': [('cls', 'alignment')],
    'mcd-alternating': [('cls', 'alignment')],
    'mcd-alternating-cls': [('cls', 'alignment')],
    'ssrt': [('cls', 'alignment')],
}
PLAIN = {
    path.name.split('_')[0]: path
    for path in sorted(CONFIGS.glob('*/*_digits-digits2digitsm.py'))
    if '-gh' not in path.name and 'UDAClassifier' in path.read_text()
    or 'mcd-alternating' in path.name and '-gh' not in path.name
    or path.name.startswith('ssrt_')
}


class Unequal(Harmonizer):
    """Acts at each step, and not alike on both tasks."""

    num_tasks = 2

    def weigh(self, gramian):
        return gramian.new_tensor([0.5, 1.5])


def trained(config: Config) -> dict:
    """Weights after three steps of a small copy."""
    torch.manual_seed(0)
    model_config, shape = shrink(config)
    model = MODELS.build({
        'data_preprocessor': config.data_preprocessor,
        **model_config
    })
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    wrapper.initialize_count_status(model, 0, 3)
    for _ in range(3):
        model.train_step(make_batch(config, shape), wrapper)
    return model.state_dict()


def overridden(path: Path, **more) -> Config:
    config = Config.fromfile(path)
    config.merge_from_dict({
        'optim_wrapper.type': 'mmgh.GHOptimWrapper',
        'optim_wrapper.harmonizer': Unequal(),
        **more
    })
    return config


def equal(first: dict, second: dict) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_every_method_is_tried():
    assert len(PLAIN) >= 15 and set(PAIRS) <= set(PLAIN)


@pytest.mark.parametrize('method', PLAIN)
def test_overrides_equal_the_pairs_of_the_method_bit_for_bit(method):
    pairs = PAIRS.get(method, [('alignment', 'cls')])
    states = trained(overridden(PLAIN[method]))
    assert equal(
        states,
        trained(overridden(PLAIN[method], **{'optim_wrapper.pairs': pairs})))
    assert not equal(states, trained(Config.fromfile(PLAIN[method])))


@pytest.mark.parametrize('method', ['dann', *PAIRS])
def test_another_order_of_the_tasks_is_another_training(method):
    """So the test above can fail."""
    pairs = PAIRS.get(method, [('alignment', 'cls')])
    swapped = [(second, first) for first, second in pairs]
    assert not equal(
        trained(overridden(PLAIN[method])),
        trained(overridden(PLAIN[method], **{'optim_wrapper.pairs': swapped})))
