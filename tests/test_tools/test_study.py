"""tools/study.py: which runs there are, and that each is done once."""
from __future__ import annotations

import csv
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmgh.config_names import check_names
from mmgh.input_error import InputError
from ..processes import CopiedPopen
from .short_runs import assert_same_training, read, stop_after_three
from .small_study import CONFIGS, LENET, PAIR, STUDY, write_study


@pytest.fixture(scope='module')
def planning(load_tool):
    return import_module('studying.plan')


@pytest.fixture(scope='module')
def run_config(load_tool):
    return import_module('studying.run_config').run_config


def test_runs_are_the_product_without_what_does_not_apply(planning, tmp_path):
    runs = planning.plan(write_study(tmp_path))
    assert [(run.method, run.harmonizer, run.seed) for run in runs] == [
        (method, harmonizer, seed) for seed in (3, 4)
        for method, harmonizer in (('source-only', 'none'), ('DANN', 'none'),
                                   ('DANN', 'GH, shared'))
    ]
    assert len({run.folder for run in runs}) == 6


def test_runs_can_be_chosen(planning, tmp_path):
    study = write_study(tmp_path)
    runs = planning.plan(study, dict(methods=['DANN'], seeds=[4]))
    assert {(run.method, run.seed) for run in runs} == {('DANN', 4)}
    with pytest.raises(InputError, match="`methods`.*'DANN'.*'CDAN'"):
        planning.plan(study, dict(methods=['CDAN']))


def test_missing_config_is_named(planning, tmp_path):
    study = write_study(tmp_path, harmonizers={'x': dict(suffix='-magic')},
                        baseline='x', methods={'DANN': dict(
                            config=str(CONFIGS / f'dann/dann_{LENET}'))})
    with pytest.raises(FileNotFoundError, match='dann-magic_lenet'):
        planning.plan(study)


def test_study_beside_nothing_names_configs_of_the_package(
        planning, tmp_path):
    study = write_study(
        tmp_path,
        pairs={PAIR: dict(config='mmgh::_base_/datasets/digits2digitsm.py')},
        methods={'DANN': dict(config=f'mmgh::dann/dann_{LENET}')})
    files = {file.resolve() for run in planning.plan(study)
             for file in (run.config, run.data)}
    assert files == {
        CONFIGS / '_base_/datasets/digits2digitsm.py',
        CONFIGS / f'dann/dann_{LENET}', CONFIGS / f'dann/dann-gh_{LENET}'
    }


def test_study_of_the_package_is_found_by_its_name(planning):
    there, found = planning.plan(CONFIGS / 'studies/digits.py'), planning.plan(
        Path('mmgh::studies/digits.py'))
    assert [run.description for run in there] == [
        run.description for run in found]


def test_harmonizer_is_in_the_name_of_the_config(planning):
    named = planning.with_suffix
    assert named(Path('a/dann_lenet_x.py'), '-gh') == Path(
        'a/dann-gh_lenet_x.py')
    assert named(Path('a/dann.py'), '-gh') == Path('a/dann-gh.py')
    assert named(Path('a/dann_x.py'), '') == Path('a/dann_x.py')


def test_two_runs_in_one_folder_are_refused(planning, tmp_path):
    dann = dict(config=str(CONFIGS / f'dann/dann_{LENET}'))
    study = write_study(tmp_path, methods={'DANN, x': dann, 'DANN x': dann})
    with pytest.raises(InputError, match="'DANN, x'.*'DANN x'"):
        planning.plan(study)


def test_choice_without_runs_is_refused(planning, tmp_path):
    with pytest.raises(InputError, match='none of the `harmonizers`'):
        planning.plan(
            write_study(tmp_path),
            dict(methods=['source-only'], harmonizers=['GH, shared']))


@pytest.mark.parametrize('changes, message', [
    (dict(harmonizers={'none': {}, 'GH': dict(sufix='-gh')}),
     r"`harmonizers\['GH'\]` .*got \['sufix'\]"),
    (dict(methods={'DANN': dict(options={})}),
     r"`methods\['DANN'\]` .*a `config`, but has none"),
    (dict(methods={'DANN x10': dict(config='dann.py', strength=10.)}),
     r"`methods\['DANN x10'\]` .*both `of` and a `strength`"),
    (dict(methods={'DANN': dict(config='dann.py', of='DANN', strength=0)}),
     '`strength` above 0'),
    (dict(baseline='plain'), "`baseline` .*'GH, shared'.*got 'plain'"),
])
def test_wrong_names_are_refused(planning, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        planning.plan(write_study(tmp_path, **changes))


def test_config_of_a_training_is_no_study(planning):
    with pytest.raises(InputError, match='should be a study with `pairs`'):
        planning.plan(CONFIGS / f'dann/dann_{LENET}')


def test_missing_study_is_named(planning, tmp_path):
    with pytest.raises(FileNotFoundError, match='study.py should be a config'):
        planning.plan(tmp_path / 'study.py')


def test_config_has_the_data_of_the_pair(planning, run_config, tmp_path):
    """And everything else of the method; source-only sees no target."""
    usps = str(CONFIGS / '_base_/datasets/mnist10k2usps.py')
    study = write_study(tmp_path, pairs={'M2U': dict(
        config=usps, options={'model.head.num_classes': 11})})
    only, plain, harmonized = [
        run_config(run)
        for run in planning.plan(study, dict(seeds=[4]))
    ]
    dataset = plain.train_dataloader.dataset
    assert dataset.source.type == 'MNIST'
    assert dataset.target.type == 'mmgh.USPS'
    assert only.train_dataloader.dataset == dataset.source
    assert only.train_dataloader.sampler.type == 'InfiniteSampler'
    for config in (only, plain, harmonized):
        assert config.test_dataloader.dataset.type == 'mmgh.USPS'
        assert config.val_dataloader == config.test_dataloader
        assert config.model.head.num_classes == 11
        assert config.train_dataloader.batch_size == 8
        assert config.randomness.seed == 4
    assert harmonized.optim_wrapper.apply_to == 'shared'
    assert harmonized.model == plain.model


@pytest.mark.parametrize('entry', [
    dict(harmonizer=dict(type='mmgh.GH')), dict(harmonizer='GH')])
def test_config_needs_no_harmonized_twin(planning, run_config, tmp_path,
                                         entry):
    """And the options have the last word."""
    options = {'optim_wrapper.max_weight': 3.}
    study = write_study(tmp_path, harmonizers={
        'none': {}, 'twin': dict(suffix='-gh', options=options),
        'GH': dict(entry, options=options)})
    runs = planning.plan(study, dict(methods=['DANN'], seeds=[3]))
    plain, twin, replaced = (run_config(run).optim_wrapper for run in runs)
    assert replaced == twin != plain
    assert runs[2].config == runs[0].config
    assert runs[2].description['options'].startswith('harmonizer=')


def test_harmonizer_replaces_that_of_the_config(planning, run_config,
                                                tmp_path):
    capped = dict(type='mmgh.GHPlusPlus', harmonic_range=1.)
    study = write_study(tmp_path, harmonizers={
        'none': {},
        'GH++': dict(suffix='-gh', harmonizer=capped),
        'taken away': dict(suffix='-gh', harmonizer='none')})
    plain, replaced, without = map(run_config, planning.plan(
        study, dict(methods=['DANN'], seeds=[3])))
    assert replaced.optim_wrapper.harmonizer == capped
    assert without.optim_wrapper == plain.optim_wrapper


@pytest.mark.parametrize('harmonizer', ['GHH', dict(type='mmgh.GHH'), {}])
def test_unknown_harmonizer_is_refused(planning, run_config, tmp_path,
                                       harmonizer):
    study = write_study(tmp_path, harmonizers={
        'none': {}, 'x': dict(harmonizer=harmonizer)})
    run = planning.plan(study, dict(harmonizers=['x']))[0]
    with pytest.raises(InputError, match=r"`harmonizers\['x'\]` .*'DANN' "
                       'should be none, or one of Constant, .*, but got'):
        run_config(run)


def test_null_control_is_there_unless_it_is_left_out(planning, run_config,
                                                     tmp_path):
    """For each method that is compared with the baseline."""
    dann = dict(config=str(CONFIGS / f'dann/dann_{LENET}'))
    methods = {
        'plain': dict(dann, harmonizers=['none']),
        'all': dann,
        'one': dict(dann, harmonizers=['none', 'GH, shared']),
    }

    def names(**changes) -> list[tuple[str, str]]:
        study = write_study(tmp_path, methods=methods, seeds=[3], **changes)
        return [(run.method, run.harmonizer) for run in planning.plan(study)]

    without = names()
    assert 'null' not in dict(without).values()
    compared = [(method, harmonizer) for method in ('all', 'one')
                for harmonizer in ('none', 'null', 'GH, shared')]
    assert names(null=True) == [('plain', 'none'), *compared]
    own = {'none': {}, 'null': dict(suffix='-gh'), 'GH, shared': {}}
    assert names(null=True, harmonizers=own) == [('plain', 'none'), *compared]
    run = planning.plan(write_study(tmp_path, null=True),
                        dict(harmonizers=['null'], seeds=[3]))[0]
    wrapper = run_config(run).optim_wrapper
    assert wrapper.type == 'mmgh.GHOptimWrapper'
    assert wrapper.harmonizer == dict(
        type='mmgh.Constant', weights=dict(alignment=1.001))


def test_null_control_is_the_default(planning, tmp_path):
    study = write_study(tmp_path)
    study.write_text(study.read_text().replace('null = False\n', ''))
    assert 'null' in {run.harmonizer for run in planning.plan(study)}


def config_hash(config) -> str:
    return import_module('studying.run_config').config_hash(config)


@pytest.mark.parametrize('option, differs', [
    ('default_hooks.logger.interval', False),
    ('log_processor.window_size', False),
    ('model.head.num_classes', True),
    ('optim_wrapper.optimizer.lr', True),
    ('custom_hooks', True),
    ('randomness.seed', True),
])
def test_trainings_are_told_apart_and_not_how_they_are_watched(run_config,
                                                               option,
                                                               differs):
    config = CONFIGS / f'dann/dann_{LENET}'
    plain, other = Config.fromfile(config), Config.fromfile(config)
    other.merge_from_dict({option: 7})
    assert (config_hash(plain) != config_hash(other)) is differs


def results(out: Path) -> list[dict]:
    with open(out / 'study.csv', newline='') as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def run_study(tools, load_tool):
    """``run_study(study, out, ...)`` runs it with one seed."""
    # Of the worker alone: imports of some libraries start processes, too.
    worker = import_module('studying.worker')
    copies = SimpleNamespace(Popen=CopiedPopen, PIPE=subprocess.PIPE)

    def run(study: Path, out: Path, *options) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, 'subprocess', copies)
            tools('study', study, '--out', out, '--seeds', 3, *options)

    return run


@pytest.fixture(scope='module')
def finished(run_study, tmp_path_factory):
    """A whole study with one seed, and the folder of its DANN."""
    out = tmp_path_factory.mktemp('study')
    run_study(write_study(out), out)
    return out, out / 'Digits_-_DigitsM' / 'DANN' / 'none' / '3'


def test_results(finished):
    out, run = finished
    rows = results(out)
    assert [row['method'] for row in rows] == ['source-only', 'DANN', 'DANN']
    for row in rows:
        assert row['seed'] == '3' and row['iterations'] == '6'
        assert row['mmgh'] and row['torch'] and row['config']
        assert 0 <= float(row['accuracy']) <= 100
    assert rows[1]['angle'] == '' and 0 < float(rows[2]['angle']) < 180
    assert rows[2]['config'].startswith('dann-gh_')
    assert 'apply_to=shared' in rows[2]['options']
    log = next(run.glob('*/vis_data/scalars.json')).read_text()
    last = json.loads(log.splitlines()[-1])
    assert float(rows[1]['accuracy']) == last['accuracy/top1']


def test_run_is_that_of_a_fresh_process(finished, tmp_path):
    """Bit for bit, though the worker had trained two others before."""
    out, _ = finished
    last = out / 'Digits_-_DigitsM' / 'DANN' / 'GH_shared' / '3'
    fresh = tmp_path / 'fresh'
    fresh.mkdir()
    for name in ('config.py', 'run.json'):
        shutil.copy(last / name, fresh)
    subprocess.run(
        [sys.executable, STUDY.parent / 'studying/run.py', fresh],
        check=True,
        stdout=subprocess.DEVNULL,
        env={'OMP_NUM_THREADS': '1', **os.environ})
    assert_same_training(read(last / 'iter_6.pth'), read(fresh / 'iter_6.pth'))
    result, other = (json.loads((folder / 'result.json').read_text())
                     for folder in (last, fresh))
    assert {**result, 'seconds': 0} == {**other, 'seconds': 0}


def test_only_what_is_missing_is_done(finished, run_study, tmp_path):
    """A finished run is left alone. One that was killed goes on, as if it
    had not been; so does one that lacks its last validation only."""
    out, whole = finished
    again = tmp_path / 'again'
    shutil.copytree(out, again)
    stopped = again / whole.relative_to(out)
    shutil.rmtree(stopped)
    stop_after_three(whole, stopped)
    unvalidated = again / 'Digits_-_DigitsM' / 'source-only' / 'none' / '3'
    (unvalidated / 'result.json').unlink()
    for log in unvalidated.glob('*/vis_data/scalars.json'):
        log.unlink()
    untouched = again / 'Digits_-_DigitsM' / 'DANN' / 'GH_shared' / '3'
    before = sorted(untouched.rglob('*'))
    run_study(write_study(again), again)
    assert_same_training(
        read(stopped / 'iter_6.pth'), read(whole / 'iter_6.pth'))
    assert sorted(untouched.rglob('*')) == before
    for first, second in zip(results(out), results(again)):
        assert first['accuracy'] == second['accuracy']


def test_known_results_are_merged_and_not_made_again(
        finished, run_study, planning, run_config, tmp_path):
    """Those of another config are left out, and those of other names stay."""
    out, _ = finished
    rows = results(out)
    rows[1]['config_hash'] = 'another'
    rows.append({**rows[0], 'method': 'MCD', 'accuracy': '12.5'})
    run = planning.plan(write_study(tmp_path), dict(seeds=[4]))[0]
    rows.append({**rows[0], 'seed': '4',
                 'config_hash': config_hash(run_config(run))})
    rows.append({**rows[0], 'seed': '5'})
    known = tmp_path / 'known.csv'
    with open(known, 'w', newline='') as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    again = tmp_path / 'again'
    again.mkdir()
    run_study(write_study(again), again, '--known', known)
    made = [path.parent for path in again.glob('*/*/*/*/result.json')]
    assert [path.relative_to(again) for path in made] == [
        Path('Digits_-_DigitsM/DANN/none/3')]
    first, dann, harmonized, later, other = results(again)
    whole = results(out)
    assert (first, harmonized) == (whole[0], whole[2])
    assert dann['config_hash'] == whole[1]['config_hash']
    assert dann['accuracy'] == whole[1]['accuracy']
    assert later == rows[4] and other == rows[3]
    # All are known, and there is no folder yet.
    new = tmp_path / 'new'
    run_study(write_study(again), new, '--known', again / 'study.csv')
    assert results(new) == results(again)


def test_plan_tells_the_seeds_that_an_effect_needs(tools, tmp_path, capsys):
    """By the spread of the differences, and the seconds of both."""
    fields = ('pair', 'method', 'harmonizer', 'seed', 'baseline', 'accuracy',
              'conflict', 'angle', 'seconds')
    known, study = tmp_path / 'known.csv', write_study(tmp_path)
    accuracies = {'none': (50, 50, 50), 'GH, shared': (48, 50, 52)}
    with open(known, 'w', newline='') as file:
        csv.writer(file).writerows([fields, *(
            (PAIR, 'DANN', name, seed, 'none', accuracy, '', '', 30)
            for name, values in accuracies.items()
            for seed, accuracy in enumerate(values))])
    tools('study', study, '--plan', '--known', known, '--effect', 2, 10)
    cells = [cell.strip() for cell in
             capsys.readouterr().out.splitlines()[2].split('|')[1:-1]]
    assert cells[:5] == [PAIR, 'DANN', 'GH, shared', '3', '2.0']
    # A table of sample sizes of the paired t test has 10 for one standard
    # deviation.
    assert cells[5:] == ['10 (0:10:00)', '3 (0:03:00)']


def test_plan_needs_a_pilot(tools, tmp_path):
    with pytest.raises(SystemExit, match='pilot first, .*--seeds 0 1 2 3 4'):
        tools('study', write_study(tmp_path), '--plan')


def test_results_of_another_study_are_not_taken_for_this_one(
        finished, run_study, tmp_path):
    out, _ = finished
    other = {'none': dict(options={'optim_wrapper.optimizer.lr': 0.1})}
    study = write_study(tmp_path, harmonizers=other)
    with pytest.raises(SystemExit, match='`options`.*lr=0.1'):
        run_study(study, out)


def test_unreadable_result_is_made_again(finished, run_study, tmp_path):
    """And a run that another process trains is left to it."""
    out, run = finished
    again = tmp_path / 'again'
    shutil.copytree(out, again)
    emptied = again / run.relative_to(out) / 'result.json'
    emptied.write_text('')
    study = write_study(again)
    with open(emptied.with_name('lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match='DANN/none/3'):
            run_study(study, again)
    log = emptied.with_name('output.log').read_text()
    assert 'is being trained by another process' in log
    run_study(study, again)
    assert json.loads(emptied.read_text()) == json.loads(
        (run / 'result.json').read_text())


@pytest.mark.parametrize('stop', [
    # Ctrl+C in a terminal reaches all processes.
    lambda process: os.killpg(process.pid, signal.SIGINT),
    lambda process: process.terminate(),
], ids=['interrupt', 'terminate'])
def test_stopping_ends_all_and_starts_nothing(tmp_path, stop):
    study = write_study(tmp_path)
    process = subprocess.Popen(
        [sys.executable, STUDY, study, '--out', tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Ctrl+C would be ignored where these tests run in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while not list(tmp_path.glob('*/*/*/*/output.log')):
        assert process.poll() is None
        time.sleep(0.1)
    stop(process)
    assert 'same command again' in process.communicate(timeout=100)[0]
    assert process.returncode == 130
    assert not list(tmp_path.glob('*/*/*/*/result.json'))
    assert len(list(tmp_path.glob('*/*/*/*/output.log'))) == 1
    with pytest.raises(ProcessLookupError):  # no process of the group is left
        os.killpg(process.pid, 0)


def test_stopping_twice_ends_all_too(tmp_path):
    options = {
        'train_cfg.max_iters': 10**6,
        'train_dataloader.num_workers': 1,
        'train_dataloader.persistent_workers': True
    }
    study = write_study(tmp_path, options=options, seeds=[3, 4])
    process = subprocess.Popen(
        [sys.executable, STUDY, study, '--out', tmp_path, '--workers', '2'],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while len(list(tmp_path.glob('*/*/*/*/lock'))) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    # The second may come when Python has ended already.
    assert process.wait(100) in (130, -signal.SIGINT)
    while _is_there(process.pid):  # what has not heard of it ends, too
        time.sleep(0.1)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_stopping_while_the_first_run_is_handed_out(load_tool, tmp_path,
                                                    monkeypatch, capsys):
    training = import_module('studying.training')
    local = import_module('studying.local_pool')

    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(local.ThreadPoolExecutor, 'submit', stop)
    with pytest.raises(SystemExit, match='130'):
        training.train_all({tmp_path: 1}, local.LocalPool(1))
    assert 'same command again' in capsys.readouterr().out


def test_killing_ends_the_runs(tmp_path):
    """Though nothing could tell them."""
    study = write_study(
        tmp_path, options={'train_cfg.max_iters': 10**6}, seeds=[3])
    process = subprocess.Popen(
        [sys.executable, STUDY, study, '--out', tmp_path],
        stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob('*/*/*/*/lock')):
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.wait()
    with open(next(tmp_path.glob('*/*/*/*/lock'))) as lock:
        # Only when the run has ended, long before its time, we get it.
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert not list(tmp_path.glob('*/*/*/*/result.json'))


def test_failure_of_one_run_does_not_stop_the_others(tools, tmp_path, capsys,
                                                     monkeypatch):
    """In an interpreter of their own, as a user starts them. What failed is
    told in a line; what is printed meanwhile is in the log."""
    (tmp_path / 'noisy.py').write_text('print("noise of an import")')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=os.pathsep)
    noisy = {'custom_imports': dict(imports=['noisy'])}
    broken = {
        'broken': dict(
            config=str(CONFIGS / f'dann/dann_{LENET}'),
            harmonizers=['none'],
            options={'model.head.num_classes': -1, **noisy}),
        'source-only': dict(
            config=str(CONFIGS / f'source_only/source-only_{LENET}'),
            harmonizers=['none'],
            options=noisy),
    }
    study = write_study(tmp_path, methods=broken)
    with pytest.raises(SystemExit, match='broken/none/3'):
        tools('study', study, '--out', tmp_path, '--seeds', 3)
    assert [row['method'] for row in results(tmp_path)] == ['source-only']
    log = tmp_path / 'Digits_-_DigitsM' / 'broken' / 'none' / '3/output.log'
    text = log.read_text()
    assert 'noise of an import' in text and 'Traceback' in text
    told = next(line for line in capsys.readouterr().out.splitlines()
                if 'broken' in line)
    assert told.startswith('[1/2')
    assert told.endswith(
        f'failed: {text.splitlines()[-1]} (see output.log there)')


@pytest.mark.parametrize('study', [
    'digits_variants', 'office31_features', 'office31_last_block',
    'office31_strengths'
])
def test_config_of_a_run_passes_the_checks_of_a_training(
        study, planning, run_config, load_tool, tmp_path):
    """It has the values of all variables, which nothing uses any more."""
    run = planning.plan(CONFIGS / f'studies/{study}.py')[-1]
    cfg = run_config(run)
    training = import_module('studying.training')
    training.prepare(tmp_path / 'run', {}, cfg)
    written = import_module('studying.run').read_written(
        tmp_path / 'run/config.py')
    check_names(written)
    describe = import_module('studying.run_config').config_hash
    written.pop('launcher')
    assert describe(written) == describe(cfg)
