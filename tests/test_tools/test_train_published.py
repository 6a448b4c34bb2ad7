"""tools/train.py with what is as in the published code."""
from __future__ import annotations

import pytest

from ..config_names import AS_PUBLISHED
from .short_runs import assert_same_training, logged, stop_after_three

DIGITS = [
    path for path in AS_PUBLISHED
    if path.stem.endswith('-1k_digits-digits2digitsm')
]


@pytest.mark.parametrize('path', DIGITS, ids=lambda p: p.stem.split('_')[0])
def test_resumed_run_equals_an_uninterrupted_one(path, train, tmp_path):
    whole = train(path, tmp_path / 'whole')
    stopped = stop_after_three(tmp_path / 'whole', tmp_path / 'stopped')
    resumed = train(path, stopped, resume=True)
    assert_same_training(resumed, whole)
    # By each step of each optim wrapper that harmonizes.
    angles = [name for name in whole['message_hub']['log_scalars']
              if name.startswith('train/angle')]
    assert angles
    for name in angles:
        assert len(logged(whole, name[len('train/'):])) == 6
