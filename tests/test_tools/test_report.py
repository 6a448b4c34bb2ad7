"""The page of tools/report.py."""
from __future__ import annotations

import base64
import html
import re
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from PIL import Image, ImageColor

from mmgh.analysis import load_trained, outputs_of, target_dataset
from mmgh.analysis.plots import COLOURS
from mmgh.datasets import Digits
from ..test_datasets.layouts import write_folders
from .short_runs import read

CONFIGS = Path(__file__).parents[2] / 'configs'
DIGITS = Digits.METAINFO['classes']
END = '_lenet_1xb32-1k_digits-digits2digitsm.py'


@pytest.fixture(scope='module')
def runs(train, tmp_path_factory) -> list[Path]:
    """Work directories of source-only and of DANN+GH, six iterations each."""
    folder = tmp_path_factory.mktemp('runs')
    for name in ('source_only/source-only', 'dann/dann-gh'):
        train(CONFIGS / (name + END), folder / Path(name).name)
    return [folder / 'source-only', folder / 'dann-gh']


@pytest.fixture(scope='module')
def page(tools, runs, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp('page') / 'new' / 'report.html'
    tools('report', *runs, '--out', path, '--max-images', 40)
    return path.read_text(encoding='utf-8')


def sections(page: str) -> dict[str, str]:
    parts = re.split(r'<h2>(.*?)</h2>', page)
    return dict(zip(parts[1::2], parts[2::2]))


def cells(part: str) -> list[list[str]]:
    return [[html.unescape(cell) for cell in re.findall('<td>(.*?)</td>', row)]
            for row in re.findall('<tr><td>.*?</tr>', part)]


def pictures(part: str) -> list[Image.Image]:
    return [
        Image.open(BytesIO(base64.b64decode(data)))
        for data in re.findall('src="data:image/png;base64,(.*?)"', part)
    ]


def test_page_needs_no_other_file(page):
    sources = re.findall(r'(?:src|href)="(.*?)"', page)
    assert sources and all(
        source.startswith(('#section-', 'data:image/png;base64,'))
        for source in sources)
    assert not re.search(r'url\(|@import|<script|<link', page)


def shows(picture: Image.Image, colour: str) -> bool:
    """Whether many pixels have a colour."""
    pixels = np.asarray(picture.convert('RGB'))
    return (pixels == ImageColor.getrgb(colour)).all(-1).sum() > 200


def test_each_section_shows_something(page):
    parts = sections(page)
    counts = {title: len(pictures(part)) for title, part in parts.items()}
    assert counts == {
        'Is there anything to harmonize?': 0,
        'Which checkpoint?': 0,
        **dict(
            Results=0, Settings=0, Validation=1, Losses=1, Conflict=1,
            Features=2, Classes=1, Confusion=2, Mistakes=2)
    }
    for part in parts.values():
        for picture in pictures(part):
            low, high = picture.convert('L').getextrema()
            assert picture.width > 300 and high - low > 100


def test_results_are_those_of_the_runs(page, runs):
    rows = cells(sections(page)['Results'])
    assert [(row[0], *row[6:8]) for row in rows] == [('source-only', '6', '0'),
                                                     ('dann-gh', '6', '0')]
    history = load_trained(runs[1]).history
    assert rows[0][4:6] == ['-', '-']
    assert rows[1][4:6] == [
        f"{100 * history['train/conflict'].mean():.1f}",
        f"{history['train/angle'].mean():.1f}"
    ]


def test_what_there_is_to_harmonize_needs_more_than_some_iterations(page):
    part = sections(page)['Is there anything to harmonize?']
    notes = re.findall('<li>(.*?)</li>', part)
    assert len(notes) == 2
    assert notes[0].startswith('source-only: no gradients were compared.')
    assert notes[1] == ('dann-gh: 6 comparisons of gradients are too few to '
                        'tell.')


@pytest.mark.parametrize('angle, alignment, verdicts, change', [
    (90.2, 0.1, ['nearly orthogonal'], '0.0, 0.0, 0.0'),
    (100., 0.1, ['the gradients conflict'], '0.0, 0.0, 0.0'),
    (100., 2., ['too strong', 'the gradients conflict'], '86.7, 86.7, 86.7'),
    (80., 0.1, ['the tasks agree'], '0.0, 0.0, 0.0'),
])
def test_what_there_is_to_harmonize(tools, runs, tmp_path, angle, alignment,
                                    verdicts, change):
    """In a log of 60 comparisons, of these angles and norms."""
    run = tmp_path / 'run'
    shutil.copytree(runs[1], run)
    checkpoint = read(run / 'iter_6.pth')
    scalars = checkpoint['message_hub']['log_scalars']
    for name, value in (('angle', angle), ('conflict', float(angle > 90)),
                        ('weight_cls', 1.), ('weight_alignment', 1.),
                        ('grad_norm_cls', 1.),
                        ('grad_norm_alignment', alignment)):
        scalars[f'train/{name}'] = HistoryBuffer([value] * 60, [1] * 60)
    torch.save(checkpoint, run / 'iter_6.pth')
    path = tmp_path / 'report.html'
    tools('report', run, '--out', path, '--no-images')
    part = sections(path.read_text())['Is there anything to harmonize?']
    notes = re.findall('<li>run: (.*?)</li>', part)
    assert len(notes) == len(verdicts)
    for note, verdict in zip(notes, verdicts):
        assert verdict in note
    row, = cells(part)
    assert row[2].startswith(f'{angle:.1f} ({angle:.1f} to {angle:.1f})')
    assert row[-1] == change


def test_differing_settings_are_listed(page, runs):
    rows = {row[0]: row[1:] for row in cells(sections(page)['Settings'])}
    assert rows['optim_wrapper.type'] == [
        repr('OptimWrapper'), repr('mmgh.GHOptimWrapper')
    ]
    assert rows['model.uda_head.type'] == ['(not set)', repr('mmgh.DANNHead')]
    assert 'optim_wrapper.optimizer.lr' not in rows
    assert 'work_dir' not in rows
    listed = re.findall('<pre>(.*?)</pre>', page, re.DOTALL)
    for text, run in zip(listed, runs):
        cfg = Config.fromstring(html.unescape(text), '.py')
        assert cfg.to_dict() == load_trained(run).cfg.to_dict()


def test_mistakes_are_counted(page, runs):
    """The images are the same 40 for both runs, with or without a pair."""
    captions = re.findall(r'<figcaption>(\S+): (\d+) of 40 test images', page)
    dataset = target_dataset(load_trained(runs[1]).cfg, None)
    for run, (name, count) in zip(runs, captions):
        output = outputs_of(
            load_trained(run).build_model(), dataset, max_images=40)
        wrong = [
            p.argmax() != label
            for p, label in zip(output.probabilities, output.labels)
        ]
        assert (name, int(count)) == (run.name, sum(wrong))


@pytest.fixture(scope='module')
def reverse(train, tmp_path_factory) -> Path:
    """Work directory of DANN+GH from DigitsM to Digits."""
    folder = tmp_path_factory.mktemp('reverse')
    cfg = Config.fromfile(CONFIGS / ('dann/dann-gh' + END))
    pair = cfg.train_dataloader.dataset
    pair.source, pair.target = pair.target, pair.source
    cfg.test_dataloader.dataset.type = 'mmgh.Digits'
    cfg.val_dataloader = cfg.test_dataloader
    cfg.dump(folder / 'config.py')
    train(folder / 'config.py', folder / 'reverse')
    return folder / 'reverse'


def test_each_run_is_shown_on_its_own_target(tools, runs, reverse, tmp_path):
    path = tmp_path / 'report.html'
    tools('report', runs[1], reverse, '--out', path, '--max-images', 40)
    page = path.read_text()
    captions = dict(
        re.findall(r'<figcaption>(\S+): (\d+) of 40 test images', page))
    for run in (runs[1], reverse):
        trained = load_trained(run)
        output = outputs_of(
            trained.build_model(),
            target_dataset(trained.cfg, None),
            max_images=40)
        wrong = output.probabilities.argmax(1) != output.labels
        assert int(captions[run.name]) == wrong.sum()
    # Their test images differ, so they are not compared class by class; each
    # has its colour.
    orange = [shows(picture, COLOURS[1])
              for picture in pictures(sections(page)['Classes'])]
    assert orange == [False, True]


def changed(run: Path, folder: Path, **settings) -> Path:
    """A copy of a run whose config says something else."""
    shutil.copytree(run, folder)
    checkpoint = read(folder / 'iter_6.pth')
    cfg = Config.fromstring(checkpoint['meta']['cfg'], '.py')
    cfg.merge_from_dict(settings)
    checkpoint['meta']['cfg'] = cfg.pretty_text
    torch.save(checkpoint, folder / 'iter_6.pth')
    return folder


def test_what_cannot_be_shown_is_said(tools, runs, tmp_path):
    """The logs are shown all the same."""
    run = changed(runs[1], tmp_path / 'no-test', test_dataloader=None)
    path = tmp_path / 'report.html'
    tools('report', run, runs[1], '--out', path, '--max-images', 9)
    parts = sections(path.read_text())
    for title in ('Features', 'Classes', 'Confusion', 'Mistakes'):
        assert 'no-test is not shown: `test_dataloader`' in parts[title]
        assert len(pictures(parts[title])) == 1
    assert len(pictures(parts['Losses'])) == 1


def test_data_that_have_moved(tools, runs, tmp_path):
    """They are named, and found with an option, which is no setting of the
    training."""
    dataset = dict(
        type='CustomDataset', data_root='gone', pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(28, 28)),
            dict(type='PackInputs')
        ])
    source = dict(dataset, _delete_=True, data_root=str(tmp_path / 'data'))
    run = changed(runs[1], tmp_path / 'moved',
                  train_dataloader=dict(dataset=dict(source=source)),
                  test_dataloader=dict(dataset=dict(_delete_=True, **dataset)))
    path = tmp_path / 'report.html'
    tools('report', run, '--out', path, '--max-images', 9)
    parts = {title: html.unescape(part)
             for title, part in sections(path.read_text()).items()}
    name = 'test_dataloader.dataset.data_root'
    for title in ('Features', 'Classes', 'Mistakes'):
        assert "'gone/'" in parts[title] and not pictures(parts[title])
        assert f'set `{name}=...`. See --cfg-options.' in parts[title]
    assert len(pictures(parts['Losses'])) == 1
    write_folders(tmp_path / 'data', 2, DIGITS)
    tools('report', run, '--out', path, '--max-images', 9, '--cfg-options',
          f'{name}={tmp_path}/data')
    parts = sections(html.unescape(path.read_text()))
    assert len(pictures(parts['Mistakes'])) == 1
    assert parts['Settings'].count("'gone'") == 1
    assert parts['Settings'].count(f"'{tmp_path}/data'") == 1


def test_data_of_other_classes_are_not_shown(tools, runs, tmp_path):
    """Be they as many or more."""
    for names in ([*DIGITS[1:], 'X'], [*DIGITS, 'X']):
        folder = tmp_path / f'of {len(names)}'
        write_folders(folder / 'data', 1, names)
        dataset = dict(_delete_=True, type='CustomDataset',
                       data_root=str(folder / 'data'), pipeline=[
                           dict(type='LoadImageFromFile'),
                           dict(type='Resize', scale=(28, 28)),
                           dict(type='PackInputs')])
        run = changed(runs[1], folder / 'run',
                      test_dataloader=dict(dataset=dataset))
        tools('report', run, '--out', folder / 'report.html')
        parts = sections(html.unescape((folder / 'report.html').read_text()))
        for title in ('Features', 'Classes', 'Confusion', 'Mistakes'):
            assert "the test data alone has ['X']" in parts[title]
            assert not pictures(parts[title])


def test_each_run_with_several_pairs_of_tasks_has_its_picture(
        tools, runs, tmp_path):
    run = shutil.copytree(runs[1], tmp_path / 'pairs')
    checkpoint = read(run / 'iter_6.pth')
    scalars = checkpoint['message_hub']['log_scalars']
    for name, tasks in [('angle', ['']), ('conflict', ['']),
                        ('weight_cls', ['a_', 'c_']),
                        ('weight_alignment', ['b_', 'd_'])]:
        values = scalars.pop(f'train/{name}')
        start = name.split('_')[0]
        for task, pair in zip(tasks * 2, ('a_b', 'c_d')):
            scalars[f'train/{start}_{task}{pair}'] = values
    torch.save(checkpoint, run / 'iter_6.pth')
    path = tmp_path / 'report.html'
    tools('report', run, *runs, '--out', path, '--no-images')
    part = sections(path.read_text())['Conflict']
    one, several = pictures(part)
    assert 'pairs, a colour for each pair of tasks.' in part
    assert [shows(one, colour) for colour in COLOURS[1:3]] == [False, True]
    assert shows(several, COLOURS[1])


def test_run_without_a_pair_of_domains(tools, runs, tmp_path):
    path = tmp_path / 'report.html'
    tools('report', runs[0], '--out', path, '--max-images', 9)
    parts = sections(path.read_text())
    assert 'source-only names no source.' in parts['Features']
    assert 'without GHOptimWrapper' in parts['Conflict']
    assert len(pictures(parts['Mistakes'])) == 1


def test_logs_are_enough_without_images(tools, runs, tmp_path):
    path = tmp_path / 'report.html'
    tools('report', *runs, '--out', path, '--no-images')
    assert list(sections(path.read_text())) == [
        'Results', 'Is there anything to harmonize?', 'Settings', 'Validation',
        'Which checkpoint?', 'Losses', 'Conflict'
    ]


def test_metric_that_was_not_logged_is_refused(tools, runs, tmp_path):
    with pytest.raises(SystemExit, match='`accuracy/top5`.*accuracy/top1'):
        tools('report', *runs, '--metric', 'accuracy/top5', '--out',
              tmp_path / 'report.html')


@pytest.mark.parametrize('name, message', [
    ('missing', 'missing should be a work directory .* does not exist'),
    ('empty', 'empty should be .* with a checkpoint')])
def test_wrong_directories_are_refused(tools, tmp_path, name, message):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(SystemExit, match=message):
        tools('report', tmp_path / name, '--out', tmp_path / 'report.html')
    assert not (tmp_path / 'report.html').exists()


def test_checkpoint_alone_is_refused(tools, runs, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tools('report', runs[0] / 'iter_6.pth')
    assert 'should be a work directory' in capsys.readouterr().err


def test_a_folder_is_no_page(tools, runs, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tools('report', runs[0], '--out', tmp_path)
    assert f'--out: should be a file to write, but {tmp_path} is a folder' in (
        capsys.readouterr().err)
