"""What the logs of a work directory say."""
from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from mmgh.analysis import (RunLog, accuracy_name, read_accuracies,
                           read_scalars, validation_names)
from mmgh.input_error import InputError

ACCURACY, ORACLE = 'accuracy/top1', 'oracle/accuracy/top1'


def trained(step: int) -> dict:
    """As MMEngine logs an iteration."""
    return dict(loss=1., time=0.1, iter=step, step=step)


def validated(step: int, value: float, *names: str) -> dict:
    """As MMEngine logs a validation."""
    return {
        **dict.fromkeys(names or [ACCURACY], value), 'data_time': 0.1,
        'time': 0.2, 'step': step
    }


def work_dir(path: Path, *logs: list[dict]) -> Path:
    for i, lines in enumerate(logs):
        log = path / f'20260101_00000{i}' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        log.write_text('\n'.join(map(json.dumps, lines)))
    return path


LONG = [
    line for step in (10, 20, 30)
    for line in (trained(step), validated(step, step))
]


@pytest.mark.parametrize('later, expected', [
    ([trained(10), validated(10, 50)], {10: 50}),
    ([trained(10)], {}),
    ([trained(11)], {10: 10}),
    ([trained(21), validated(30, 50)], {10: 10, 20: 20, 30: 50}),
    ([validated(30, 50)], {10: 10, 20: 20, 30: 50}),
    ([validated(20, 50), trained(30)], {10: 10, 20: 50}),
    ([], {10: 10, 20: 20, 30: 30}),
])
def test_a_later_log_replaces_all_from_its_beginning(tmp_path, later,
                                                     expected):
    assert read_accuracies(work_dir(tmp_path, LONG, later),
                           ACCURACY) == expected


def test_unfinished_line_is_left_out(tmp_path):
    path = work_dir(tmp_path, [validated(10, 50)])
    with open(next(path.glob('*/*/*.json')), 'a') as file:
        file.write('\n{"step": 2')
    assert list(read_scalars(path)) == [10]


@pytest.mark.parametrize('names, expected', [
    ([ACCURACY], ACCURACY),
    ([ORACLE], ORACLE),
    ([ORACLE, ACCURACY], ACCURACY),
    (['mine'], ACCURACY),
])
def test_oracle_counts_where_there_is_no_other_accuracy(
        tmp_path, names, expected):
    path = work_dir(tmp_path, [trained(1), validated(1, 5, *names)])
    assert accuracy_name(path) == expected
    assert validation_names(path) == names
    assert accuracy_name(path, names[0]) == names[0]


@pytest.mark.parametrize('lines, message', [
    ([trained(1), validated(1, 5, ACCURACY, 'mine')],
     'logged `loss`, but validation logged accuracy/top1, mine.'),
    ([trained(1)], 'logged `loss`, but no validation was logged.'),
])
def test_a_name_that_was_not_validated_is_refused(tmp_path, lines, message):
    with pytest.raises(InputError, match=message) as error:
        accuracy_name(work_dir(tmp_path, lines), 'loss')
    assert error.value.argument == 'metric'


def test_names_of_an_earlier_training_do_not_count(tmp_path):
    path = work_dir(tmp_path, LONG, [trained(10), validated(10, 5, ORACLE)])
    assert accuracy_name(path) == ORACLE
    assert validation_names(path) == [ORACLE]


def test_no_folder_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere should be the work'):
        read_scalars(tmp_path / 'nowhere')


def test_validation_that_a_resumed_run_made_up_for_leaves_its_iteration(
        tmp_path):
    """It has the number of what was trained before."""
    path = work_dir(tmp_path, LONG, [validated(20, 50), trained(30)])
    logged = read_scalars(path)
    assert logged[20]['loss'] == 1. and logged[20][ACCURACY] == 50
    assert sorted(logged) == [10, 20, 30] and ACCURACY not in logged[30]


@pytest.mark.parametrize('iteration, expected', [(20, 70.), (30, None)])
def test_older_accuracy_is_not_the_last_one(iteration, expected):
    run = RunLog('a', [10, 20], [50., 70.], {}, iteration)
    assert run.last_accuracy == (
        pytest.approx(math.nan, nan_ok=True) if expected is None else expected)
