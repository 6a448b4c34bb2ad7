"""Settings of the config count, where a resumed run has others."""
from __future__ import annotations

import pytest

from .small_runs import assert_same_end, killed, make_runner, trained

FINITE = dict(type='DefaultSampler', shuffle=True)
INV = dict(type='mmgh.InverseDecayLR', by_epoch=False)


def loop(iterations: int) -> dict:
    return dict(by_epoch=False, max_iters=iterations, val_interval=4)


def rates(runner) -> list[float]:
    return runner.message_hub.get_scalar('train/lr').data[0].tolist()


def told(runner) -> list[str]:
    """Train, and return the warnings of settings that changed."""
    messages = []
    runner.logger.addFilter(
        lambda record: messages.append(record.getMessage()) or True)
    runner.train()
    return [m for m in messages if 'no more those of the run' in m]


@pytest.mark.parametrize('schedule, later', [
    (INV, None),
    (dict(INV, end=8), dict(INV, end=10)),
    (INV, dict(INV, gamma=0.1)),
    (INV, [dict(type='LinearLR', start_factor=0.1, end=6, by_epoch=False),
           INV]),
    (dict(type='CosineAnnealingLR', by_epoch=False), None),
    (dict(type='LinearLR', by_epoch=False), None),
    (dict(type='PolyLR', by_epoch=False), None),
    (dict(type='ConstantLR', by_epoch=False), None),
    (dict(type='ExponentialLR', gamma=0.9, by_epoch=False), None),
    (dict(type='MultiStepLR', milestones=[4, 9], by_epoch=False),
     dict(type='MultiStepLR', milestones=[6, 10], by_epoch=False)),
    (dict(type='StepLR', step_size=3, by_epoch=False), INV),
])
def test_rates_are_those_of_the_config_from_the_start(tmp_path, schedule,
                                                      later):
    later = later or schedule
    trained(tmp_path / 'run', loop=loop(8), param_scheduler=schedule)
    longer = dict(loop=loop(12), param_scheduler=later)
    resumed = make_runner(tmp_path / 'run', resume=True, **longer)
    warning, = told(resumed)
    assert 'they count' in warning and 'param_scheduler.' in warning
    whole = trained(tmp_path / 'whole', **longer)
    assert rates(resumed)[8:] == rates(whole)[8:]


def test_end_is_named(tmp_path):
    trained(tmp_path, loop=loop(8), param_scheduler=INV)
    warning, = told(make_runner(
        tmp_path, resume=True, loop=loop(12), param_scheduler=INV))
    assert 'param_scheduler.end is 12, was 8.' in warning


def test_longer_run_is_exact_where_the_schedule_does_not_see_its_end(
        tmp_path):
    trained(tmp_path / 'run', loop=loop(8), param_scheduler=INV)
    longer = dict(loop=loop(12), param_scheduler=INV)
    resumed = trained(tmp_path / 'run', resume=True, **longer)
    assert_same_end(resumed, trained(tmp_path / 'whole', **longer))


@pytest.mark.parametrize('schedule', [
    dict(type='mmgh.InverseDecayLR', by_epoch=True, gamma=0.5),
    dict(type='mmgh.InverseDecayLR', by_epoch=True, gamma=0.5,
         convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', by_epoch=True),
])
def test_schedules_by_epoch(tmp_path, schedule):
    options = dict(
        sampler=FINITE,
        param_scheduler=schedule,
        checkpoint=dict(by_epoch=True, interval=1))
    trained(tmp_path / 'run', loop=dict(by_epoch=True, max_epochs=2),
            **options)
    options['loop'] = dict(by_epoch=True, max_epochs=4)
    resumed = make_runner(tmp_path / 'run', resume=True, **options)
    assert len(told(resumed)) == 1
    whole = trained(tmp_path / 'whole', **options)
    assert rates(resumed)[8:] == rates(whole)[8:]


def test_options_of_the_optimizer_count(tmp_path):

    def options(**changed) -> dict:
        optimizer = dict(type='SGD', lr=0.01, weight_decay=0.1)
        return dict(
            param_scheduler=INV,
            optim_wrapper=dict(optimizer={**optimizer, **changed}))

    killed(tmp_path, 7, **options())
    resumed = make_runner(
        tmp_path, resume=True, **options(lr=0.1, weight_decay=0.2))
    warning, = told(resumed)
    assert 'lr is 0.1, was 0.01' in warning
    assert 'weight_decay is 0.2, was 0.1' in warning
    group, = resumed.optim_wrapper.param_groups
    assert group['weight_decay'] == 0.2
    assert rates(resumed)[4] == pytest.approx(0.1 * 1.004**-0.75)


def test_schedule_that_follows_validations_goes_on(tmp_path):
    schedule = dict(
        type='ReduceOnPlateauLR', monitor='score', rule='less', patience=0,
        threshold=1e9, by_epoch=True)
    options = dict(param_scheduler=schedule)
    whole = trained(tmp_path / 'whole', **options)
    assert len(set(rates(whole))) > 1
    killed(tmp_path / 'run', 11, **options)
    longer = make_runner(
        tmp_path / 'run', resume=True, param_scheduler=dict(schedule,
                                                            patience=5))
    warning, = told(longer)
    assert 'go on to count' in warning and 'patience is 5, was 0' in warning
    assert rates(longer) == rates(whole)


def test_same_settings_are_not_told(tmp_path):
    killed(tmp_path, 7, param_scheduler=INV)
    assert not told(make_runner(tmp_path, resume=True, param_scheduler=INV))
