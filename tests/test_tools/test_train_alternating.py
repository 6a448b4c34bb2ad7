"""tools/train.py with the two optimizers of alternating MCD."""
from __future__ import annotations

from pathlib import Path

from .short_runs import assert_same_training, logged, stop_after_three

CONFIG = (
    Path(__file__).parents[2] / 'configs/mcd' /
    'mcd-alternating-cls-gh_lenet_1xb32-1k_digits-digits2digitsm.py')
OPTIONS = [
    'optim_wrapper.generator.interval=5', 'model.backbone.dropout=0.5'
]


def test_resumed_run_equals_an_uninterrupted_one(train, tmp_path):
    """It stops between two comparisons of the gradients."""
    whole = train(CONFIG, tmp_path / 'whole', *OPTIONS)
    stopped = stop_after_three(tmp_path / 'whole', tmp_path / 'stopped')
    resumed = train(CONFIG, stopped, *OPTIONS, resume=True)
    assert_same_training(resumed, whole)
    for name, count in (('angle', 5), ('generator.lr', 6),
                        ('classifier.lr', 6), ('loss_generator', 6)):
        assert len(logged(whole, name)) == count
