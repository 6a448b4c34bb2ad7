"""Each method of configs/, harmonized, as tools/train.py trains it."""
from __future__ import annotations

from pathlib import Path

import pytest

from .short_runs import assert_same_training, logged, stop_after_three

CONFIGS = sorted(
    path for path in (Path(__file__).parents[2] / 'configs').glob(
        '*/*-ghpp_*_digits-digits2digitsm.py')
    if 'alternating' not in path.name)


def test_there_are_methods():
    assert len(CONFIGS) >= 13


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.parent.name)
def test_resumed_run_equals_an_uninterrupted_one(path, train, tmp_path):
    whole = train(path, tmp_path / 'whole')
    stopped = stop_after_three(tmp_path / 'whole', tmp_path / 'stopped')
    assert_same_training(train(path, stopped, resume=True), whole)
    angles = [
        name[6:] for name in whole['message_hub']['log_scalars']
        if 'angle' in name
    ]
    for name in angles:
        values = logged(whole, name)
        assert len(values) == 6 and all(0 <= v <= 180 for v in values)
    assert angles
