"""What is logged of the conflict reaches visualisation backends by itself."""
from __future__ import annotations

from pathlib import Path

import pytest

from .short_runs import logged

CONFIG = (
    Path(__file__).parents[2] / 'configs/dann/'
    'dann-gh_lenet_1xb32-1k_digits-digits2digitsm.py')
NAMES = ('conflict', 'cosine', 'angle', 'weight_alignment', 'weight_cls')


def test_conflict_curves_appear_in_tensorboard(train, tmp_path):
    reader = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator')
    config = tmp_path / 'config.py'
    config.write_text(
        f'_base_ = {str(CONFIG)!r}\n'
        'visualizer = dict(vis_backends=['
        "dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])\n"
        'log_processor = dict(window_size=1)\n')
    checkpoint = train(config, tmp_path / 'work')
    events, = (tmp_path / 'work').glob('*/vis_data/events*')
    curves = reader.EventAccumulator(str(events))
    curves.Reload()
    for name in NAMES:
        points = curves.Scalars(name)
        assert [point.step for point in points] == [1, 2, 3, 4, 5, 6]
        assert [point.value for point in points] == pytest.approx(
            logged(checkpoint, name))
    assert curves.Scalars('accuracy/top1')[-1].step == 6
