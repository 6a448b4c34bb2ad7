"""Choosing a checkpoint, and stopping, without target labels."""
from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from mmgh.analysis import read_scalars
from .short_runs import SHORT, read
from .test_report import cells, sections

CONFIG = (Path(__file__).parents[2] / 'configs/dann' /
          'dann-ghpp_lenet_1xb32-1k_digits-digits2digitsm_without-labels.py')
RULES = {
    'unsupervised/mutual_information': max,
    'unsupervised/nuclear_norm': max,
    'unsupervised/snd': max,
    'unsupervised/entropy': min,
    'unsupervised/dev': min,
}
SAVE_BEST = [
    'train_cfg.val_interval=1',
    f'default_hooks.checkpoint.save_best=[{",".join(RULES)}]',
    'default_hooks.checkpoint.rule=['
    f'{",".join("greater" if r is max else "less" for r in RULES.values())}]',
]


def validations(work_dir: Path) -> dict[int, dict]:
    return {
        step: scalars for step, scalars in read_scalars(work_dir).items()
        if 'unsupervised/snd' in scalars
    }


@pytest.fixture(scope='module')
def trained(train, tmp_path_factory) -> Path:
    """Work directory of a run that is validated in each iteration."""
    work_dir = tmp_path_factory.mktemp('chosen')
    train(CONFIG, work_dir, *SAVE_BEST)
    return work_dir


def test_best_checkpoint_is_what_the_metric_says(trained):
    logged = validations(trained)
    assert list(logged) == [1, 2, 3, 4, 5, 6]
    chosen = set()
    for metric, best in RULES.items():
        step = best(logged, key=lambda step: logged[step][metric])
        paths = list(trained.glob(f'best_{metric.replace("/", "_")}_*.pth'))
        assert [path.name.split('_')[-1] for path in paths] == [f'{step}.pth']
        assert read(paths[0])['meta']['iter'] == step
        chosen.add(step)
    assert len(chosen) > 1


def test_source_and_oracle_are_logged(trained):
    for scalars in validations(trained).values():
        for name in ('source/accuracy/top1', 'oracle/accuracy/top1',
                     'oracle/accuracy/mean_class'):
            assert 0 < scalars[name] <= 100


def without_target_labels() -> Config:
    config = Config.fromfile(CONFIG)
    config.val_dataloader.dataset.target.type = (
        'mmgh.DigitsMWithLabelsRemoved')
    config.custom_imports = dict(imports=['tests.test_tools.wrong_labels'])
    return config


def test_target_labels_choose_nothing(trained, train, tmp_path):
    """The same without any, in batches with source and target."""
    config = without_target_labels()
    config.val_evaluator = config.val_evaluator[:2]
    path = tmp_path / 'no_labels.py'
    config.dump(path)
    train(path, tmp_path, *SAVE_BEST)
    expected = validations(trained)
    for step, scalars in validations(tmp_path).items():
        assert not any('oracle' in name for name in scalars)
        for metric in (*RULES, 'source/accuracy/top1'):
            assert scalars[metric] == expected[step][metric]


def test_oracle_without_labels_is_refused(train, tmp_path):
    path = tmp_path / 'no_labels.py'
    without_target_labels().dump(path)
    with pytest.raises(SystemExit, match='labels of all target images'):
        train(path, tmp_path, 'train_cfg.val_interval=1')


def without_source(config: Config) -> None:
    config.val_dataloader = config.test_dataloader


def without_features(config: Config) -> None:
    config.model.predict_features = False


@pytest.mark.parametrize('change, message', [
    (without_source, 'images of the source, but there is none'),
    (without_features, '`model.predict_features` to True'),
])
def test_metrics_are_checked_before_training(change, message, train, tmp_path):
    config = Config.fromfile(CONFIG)
    change(config)
    path = tmp_path / 'changed.py'
    config.dump(path)
    with pytest.raises(SystemExit, match=message):
        train(path, tmp_path, 'default_hooks.checkpoint.interval=1')
    assert not list(tmp_path.glob('*.pth'))


def test_training_stops_if_the_metric_gets_no_better(tools, tmp_path):
    config = Config.fromfile(CONFIG)
    config.custom_hooks.append(
        dict(
            type='EarlyStoppingHook',
            monitor='unsupervised/entropy',
            rule='less',
            min_delta=100.,
            patience=2))
    path = tmp_path / 'early.py'
    config.dump(path)
    tools('train', path, '--work-dir', tmp_path, '--cfg-options', *SHORT,
          'experiment_name=early', 'train_cfg.val_interval=1')
    # The first value is the best; two more are no better.
    assert list(validations(tmp_path)) == [1, 2, 3]
    assert (tmp_path / 'iter_3.pth').exists()
    assert not (tmp_path / 'iter_6.pth').exists()


def test_report_tells_what_each_metric_chose(trained, tools, tmp_path):
    tools('report', trained, '--out', tmp_path / 'r.html', '--no-images')
    part = sections((tmp_path / 'r.html').read_text())['Which checkpoint?']
    rows = {row[1]: row[2:] for row in cells(part)}
    logged = validations(trained)
    accuracy = 'oracle/accuracy/top1'
    for metric, best in RULES.items():
        step = best(logged, key=lambda step: logged[step][metric])
        file = f'best_{metric.replace("/", "_")}_iter_{step}.pth'
        assert rows[metric][0] == str(step)
        assert rows[metric][2] == f'{logged[step][accuracy]:.1f}'
        assert (trained / rows[metric][3]).exists()
        assert (trained / file).exists()
    assert rows['last'][0] == '6'
    assert rows['oracle'][2] == (
        f'{max(scalars[accuracy] for scalars in logged.values()):.1f}')


def test_report_says_where_nothing_can_choose(train, tools, tmp_path):
    train(CONFIG.with_name(CONFIG.name.replace('_without-labels', '')),
          tmp_path / 'run')
    tools('report', tmp_path / 'run', '--out', tmp_path / 'r.html',
          '--no-images')
    part = sections((tmp_path / 'r.html').read_text())['Which checkpoint?']
    assert 'mmgh.UnsupervisedMetric' in part and not cells(part)


def test_tables_and_tools_take_the_chosen_one(train, tools, tmp_path, capsys):
    """It is not the last one, since the worst is kept."""
    run = tmp_path / 'run'
    train(CONFIG, run, 'train_cfg.val_interval=1',
          'default_hooks.checkpoint.save_best=unsupervised/entropy',
          'default_hooks.checkpoint.rule=greater',
          'default_hooks.evaluator_check=None')
    chosen, = run.glob('best_*.pth')
    step = read(chosen)['meta']['iter']
    accuracy = validations(run)[step]['oracle/accuracy/top1']
    tools('analysis/compare_runs', run, '--out', tmp_path / 'a.png')
    assert f'| {accuracy:.1f} ' in capsys.readouterr().out
    tools('analysis/per_class', run, '--out', tmp_path / 'b.png')
    told = capsys.readouterr()
    assert f'{chosen} (chosen without target labels)' in told.err
    assert f'{accuracy:.1f}' in told.out
