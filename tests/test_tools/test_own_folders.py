"""`mmgh study folders`: from two folders of images to one page."""
from __future__ import annotations

import csv
import html
import json
import os
import re
import shlex
import shutil
import subprocess
from importlib import import_module
from math import log
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmgh.analysis import read_accuracies, validation_names
from mmgh.checkpoints import read_checkpoint
from mmgh.input_error import InputError
from ..processes import CopiedPopen
from ..test_datasets.layouts import write_image

CLASSIFIER = '''
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=64, num_classes=1000))
'''
SCORE, ORACLE = 'unsupervised/mutual_information', 'oracle/accuracy/top1'
NAMES = ('bike', 'laptop computer', 'mug')


def write_noise(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 40, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture(scope='module')
def photos(tmp_path_factory) -> Path:
    """A source; a target that lacks a class, has another one, and what else
    happens to folders; and one without labels."""
    root = tmp_path_factory.mktemp('photos')
    for label, name in enumerate(NAMES):
        for i in range(4):
            write_noise(root / f'shop/{name}/{i}.png', 10 * label + i)
    for i, name in enumerate(('bike', 'mug', 'mug', 'shoe', 'bike/more')):
        write_noise(root / f'phone/{name}/{i}.png', 100 + i)
        write_noise(root / f'flat/{i}.png', 100 + i)
    shutil.copy(root / 'shop/mug/0.png', root / 'phone/mug/same.png')
    shutil.copy(root / 'shop/mug/1.png', root / 'shop/bike/same.png')
    (root / 'phone/mug/broken.jpg').write_bytes(b'\xff\xd8\xff\xe0 cut')
    (root / 'phone/mug/notes.txt').touch()
    (root / 'phone/.DS_Store').touch()
    (root / 'classifier.py').write_text(CLASSIFIER)
    return root


@pytest.fixture(scope='module')
def study(tools, load_tool, photos):
    """``study(out, *options, target=...)`` runs it for two iterations."""
    worker = import_module('studying.worker')
    copies = SimpleNamespace(Popen=CopiedPopen, PIPE=subprocess.PIPE)

    def run(out: Path, *options, target='phone', iterations=2) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, 'subprocess', copies)
            tools('study', 'folders', '--source', photos / 'shop', '--target',
                  photos / target, '--classifier', photos / 'classifier.py',
                  '--image-size', 32, '--batch-size', 4, '--iterations',
                  iterations, '--out', out, *options)

    return run


ONE = '--harmonizers', 'none', 'GH', '--methods', 'source-only', 'DANN'


@pytest.fixture(scope='module')
def finished(study, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('study')
    study(out, *ONE, '--seeds', 0, 1)
    return out


@pytest.fixture(scope='module')
def unlabelled(study, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp('unlabelled')
    study(out, *ONE[:3], '--methods', 'DANN', '--seeds', 0, target='flat')
    return out


def rows(out: Path) -> list[dict]:
    with open(out / 'study.csv', newline='') as file:
        return list(csv.DictReader(file))


def page(out: Path) -> str:
    return (out / 'page.html').read_text()


def test_baselines_and_harmonized_runs_of_each_seed(finished):
    assert sorted((row['method'], row['harmonizer'], row['seed'])
                  for row in rows(finished)) == sorted(
        (method, harmonizer, seed) for seed in '01'
        for method, harmonizer in (('source-only', 'none'), ('DANN', 'none'),
                                   ('DANN', 'GH')))


def test_the_null_control_and_relative_clip_are_in_it(load_tool):
    planning = import_module('studying.plan')
    runs = planning.plan('mmgh::studies/folders.py')
    for method in ('DANN', 'CDAN+E'):
        assert [run.harmonizer for run in runs
                if (run.method, run.seed) == (method, 0)] == [
            'none', 'null', 'GH', 'GH++', 'RelativeClip']


def test_logs_of_new_runs_have_no_noise(finished):
    logs = [path.read_text() for path in finished.glob('*/*/*/*/output.log')]
    assert len(logs) == 6 and all('Iter(train)' in log for log in logs)
    for noise in ('FileClient', 'HardDiskBackend', 'has no checkpoint'):
        assert not any(noise in log for log in logs)


def test_page_answers_in_words(finished):
    text = page(finished)
    assert 'Does harmonization help here?' in text
    assert re.search(r'DANN \+ GH against DANN: [a-z ,]+: [+-]\d+\.\d, '
                     r'[+-]\d+\.\d to [+-]\d+\.\d points\.', text)
    assert 'DANN against source-only' in text
    assert '<img' in text and 'What this page cannot know' not in text


def test_page_names_the_checkpoint_with_the_best_score(finished):
    """By the logs, and its accuracy beside it."""
    scores = {}
    for log_ in finished.glob('*/*/*/*/*/vis_data/scalars.json'):
        run = log_.parents[2]
        for step, score in read_accuracies(run, SCORE).items():
            accuracy = read_accuracies(run, ORACLE)[step]
            scores[score] = run / f'best_*_iter_{step}.pth', accuracy
    pattern, accuracy = scores[max(scores)]
    file, = pattern.parent.glob(pattern.name)
    assert f'mmgh predict {file} IMAGES' in page(finished)
    assert f'accuracy is {accuracy:.1f} %' in page(finished)
    oracle = max(found for _, found in scores.values())
    assert f'{oracle:.1f} % of ' in page(finished)


def test_page_tells_how_to_take_more_seeds_of_the_same(finished):
    """And of nothing that was left out before."""
    command = re.search('mmgh study .*', html.unescape(page(finished)))[0]
    words = shlex.split(command)
    assert words[2:5] == [
        str(finished / 'configs/study.py'), '--out', str(finished)]
    assert words[5:] == [
        '--methods', 'source-only', 'DANN', '--harmonizers', 'none', 'GH',
        '--seeds', '0', '1', '2', '3', '4']


def test_curves_are_of_all_seeds(finished, unlabelled, load_tool, monkeypatch):
    """In each of several panels: a thin line a seed, and their mean."""
    assert 'Thin lines are the 2 seeds, thick ones their' in page(finished)
    assert 'Thin lines' not in page(unlabelled)
    curves = import_module('reporting.curves')
    figures = []
    monkeypatch.setattr(
        curves, 'picture_of', lambda figure, caption: figures.append(figure))
    pages = import_module('own_folders.page')
    results = import_module('studying.results')
    pages._curves(
        import_module('own_folders.choice').finished_runs(
            finished, rows(finished)[0]['pair']),
        results.settings_of(results.read_runs(finished / 'study.csv')))
    validation, _, losses = figures
    for figure in (validation, losses):
        drawn = [axes.lines for axes in figure.axes if axes.lines]
        for lines in drawn:
            seeds = [line for line in lines if line.get_linewidth() < 1]
            assert len(seeds) == 2 * (len(lines) - len(seeds))
        names = [text.get_text() for legend in figure.legends
                 for text in legend.get_texts()]
        assert names == ['source-only', 'DANN', 'DANN + GH']


def test_curves_are_of_one_method_each(finished):
    for title in ('Validation', 'Conflict', 'Losses'):
        assert f'{title} of DANN<' in page(finished)
        assert f'{title} of source-only' not in page(finished)


@pytest.mark.parametrize('told', [
    '1 files cannot be decoded, and are left out: mug/broken.jpg',
    r'1 files are no images by their suffixes \(.txt\), and are left out',
    '1 images are of no class of the source, .*: shoe \\(1\\)',
    '1 of the 3 classes of the source have no image: laptop computer',
    'target: 1 images are in the source, .*: mug/same.png = mug/0.png',
    'source: 1 images are in several classes: bike/same.png = mug/1.png',
])
def test_page_tells_what_the_images_are(finished, told):
    assert re.search(told, page(finished))


def test_labels_mean_the_classes_of_the_source(finished):
    lines = (finished / 'configs/target.txt').read_text().splitlines()
    assert sorted(lines) == ['bike/0.png 0', 'bike/more/4.png 0',
                             'mug/1.png 2', 'mug/2.png 2', 'mug/same.png 2']
    config = Config.fromfile(finished / 'configs/dann.py')
    assert config.model.head.num_classes == 3
    assert config.val_dataloader.dataset.metainfo.classes == NAMES


def test_same_command_again_trains_nothing(finished, study, capsys):
    def results() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in finished.rglob('*')
                if path.is_file() and '_-_' in str(path)}

    before, text = results(), page(finished)
    study(finished, *ONE, '--seeds', 0, 1)
    assert results() == before and page(finished) == text
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == f"Page: {finished / 'page.html'}"
    question, _, answer = told[-2].partition('? ')
    assert question == 'Does harmonization help here'
    assert html.escape(answer) in text
    assert 'no GPU' not in '\n'.join(told)  # two iterations are quick


def test_another_study_does_not_go_on_with_this_one(finished, study, photos):
    with pytest.raises(SystemExit, match='`iterations` is 2 there, and 3 he'):
        study(finished, *ONE, iterations=3)
    added = photos / 'shop/mug/new.png'
    write_image(added, 1)
    try:
        with pytest.raises(SystemExit, match='shop .*have changed'):
            study(finished, *ONE)
    finally:
        added.unlink()


def test_files_that_changed_are_another_study(finished, study, photos):
    """A broken image that was mended, and another classifier of this name."""
    for name, content, told in (
            ('phone/mug/broken.jpg', (photos / 'shop/mug/0.png').read_bytes(),
             'phone should have the images'),
            ('classifier.py', CLASSIFIER.replace('64', '32').encode(),
             'classifier.py should have the config')):
        path = photos / name
        before = path.read_bytes()
        path.write_bytes(content)
        try:
            with pytest.raises(SystemExit, match=f'{told}.*have changed'):
                study(finished, *ONE)
        finally:
            path.write_bytes(before)
    study(finished, *ONE, '--seeds', 0, 1)


def test_digest_is_of_what_the_files_are(load_tool, tmp_path):
    listing = import_module('own_folders.listing')
    path = tmp_path / 'ant/1.png'
    path.parent.mkdir()
    path.write_bytes(b'first')
    (tmp_path / 'ant/2.png').symlink_to('nowhere.png')
    one = listing.list_images(tmp_path)
    before = one.digest
    os.utime(path, (1, 1))
    assert listing.list_images(tmp_path).digest == before
    path.write_bytes(b'longer')
    assert one.digest != before


def test_study_that_noted_no_files_goes_on(study, tmp_path):
    """It was begun with an earlier version."""
    study(tmp_path / 'out', '--dry-run')
    file = tmp_path / 'out/configs/settings.json'
    settings = json.loads(file.read_text())
    del settings['source_files'], settings['target_files']
    file.write_text(json.dumps({**settings, 'source_images': 'of names'}))
    study(tmp_path / 'out', '--dry-run')


def test_configs_are_ordinary_ones(finished, train, tmp_path):
    checkpoint = train(finished / 'configs/cdan-e.py', tmp_path / 'work',
                       'train_dataloader.batch_size=4')
    assert checkpoint['meta']['iter'] == 6


def test_target_without_labels_is_judged_by_its_predictions(unlabelled):
    """And what is trained is the same."""
    for row in rows(unlabelled):
        run = unlabelled / 'shop_-_flat' / row['method'] / row[
            'harmonizer'] / '0'
        score = read_accuracies(run, SCORE)[2]
        assert float(row['accuracy']) == pytest.approx(100 * score / log(3))
        assert not any('oracle' in name for name in validation_names(run))
    text = page(unlabelled)
    assert 'What this page cannot know' in text and 'no accuracy' in text
    assert 'With one seed nothing can be told' in text
    assert 'accuracy is' not in text
    assert '<td>target labels</td><td>False</td>' in ''.join(text.splitlines())


def test_weights_of_a_file_are_where_training_begins(study, finished, photos,
                                                     tmp_path):
    """Of a classifier of another number of classes."""
    path, = finished.glob('*/source-only/none/0/iter_2.pth')
    trained = read_checkpoint(path)['state_dict']
    file = tmp_path / 'weights.pth'
    shutil.copy(path, file)
    study(tmp_path / 'out', '--weights', file, '--dry-run')
    config = Config.fromfile(tmp_path / 'out/configs/dann.py')
    start = config.model.backbone.init_cfg
    kept = read_checkpoint(start.checkpoint)['state_dict']
    assert start.type == 'Pretrained' and start.prefix == 'backbone'
    for name in kept:
        assert torch.equal(kept[name], trained[name])
    rates = config.optim_wrapper.paramwise_cfg.custom_keys
    assert rates == dict(backbone=dict(lr_mult=0.1))
    other = Config.fromfile(finished / 'configs/dann.py')
    assert 'paramwise_cfg' not in other.optim_wrapper
    file.write_bytes(b'others')
    with pytest.raises(SystemExit, match='have the weights.*have changed'):
        study(tmp_path / 'out', '--weights', file, '--dry-run')
    file.unlink()  # the study has a copy
    study(tmp_path / 'out', '--weights', file, '--dry-run')


def test_images_are_read_as_the_pipelines_read_them(load_tool):
    classifier = import_module('own_folders.classifier')
    pillow = dict(type='LoadImageFromFile', imdecode_backend='pillow')
    opencv = dict(type='mmcv.LoadImageFromFile')

    def backends(*pipelines) -> tuple:
        return classifier.backends_of(
            classifier.Found({}, pipelines or None, (3, 8, 8), None))

    assert backends() == backends([opencv], [opencv]) == ('cv2', )
    assert backends([dict(type='Compose', transforms=[pillow])],
                    [pillow]) == ('pillow', )
    assert backends([pillow], [opencv]) == ('pillow', 'cv2')


VIT = """
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer', patch_size=16, {size}arch=dict(
            embed_dims=24, num_layers=1, num_heads=2,
            feedforward_channels=24)))
"""


@pytest.mark.parametrize('written, asked, found', [
    ('img_size=64, ', None, 64), ('img_size=(64, 64), ', None, 64),
    ('img_size=384, ', None, 224), ('', None, 224), ('img_size=64, ', 96, 96),
])
def test_size_is_that_of_the_classifier(load_tool, tmp_path, written, asked,
                                        found):
    """Of a config that says nothing of its data; at most 224."""
    classifier = import_module('own_folders.classifier')
    path = tmp_path / 'vit.py'
    path.write_text(VIT.format(size=written))
    result = classifier.find_classifier(str(path), asked)
    assert result.shape == (3, found, found)
    assert result.model['backbone'].get('img_size', 224) == found
    built = classifier.build_classifier(result, False, None)
    assert built.features == 24


@pytest.mark.parametrize('options, message', [
    (('--weights', 'no.pth'), '`--weights` should be a file, but got no.pth'),
    (('--classifier', 'resnet51'), '`--classifier` should be .*resnet18'),
    (('--target', 'shop'), 'should be two folders'),
    (('--source', 'flat'), 'two classes or more'),
    (('--source', 'nowhere'), 'nowhere should be a folder of images'),
])
def test_what_is_wrong_is_told_before_anything_is_written(
        study, photos, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(photos)
    with pytest.raises(SystemExit, match=message):
        study(tmp_path / 'out', *options)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('options', [
    ('folders', '--source', 'shop'),
    ('studies/digits.py', '--out', 'out', '--iterations', '3'),
    ('studies/digits.py', '--out', 'out', '--no-pretrained'),
])
def test_options_that_go_with_nothing_are_refused(tools, options, capsys):
    with pytest.raises(SystemExit):
        tools('study', *options)
    told = capsys.readouterr().err
    assert 'needs --source and --target' in told or (
        f'{options[3]} is of `mmgh study folders`' in told)


def settings_of(load_tool, **changes: tuple[float, ...]) -> list:
    """Of DANN: what each harmonizer adds to the plain accuracies, by seed."""
    results = import_module('studying.results')
    plain = 60., 61., 59., 60.5
    return results.settings_of(
        dict(pair='A -> B', method='DANN', harmonizer=name, seed=seed,
             baseline='none', accuracy=accuracy + change)
        for name, added in {'none': (0., ) * 4, **changes}.items()
        for seed, (accuracy, change) in enumerate(zip(plain, added)))


NOTHING = 0.5, -0.5, 0.4, -0.4


GAIN, LOSS = (5., 5.1, 4.9, 5.), (-5., -5.1, -4.9, -5.)
WITHOUT_NULL = dict(null=(0., ))  # of one seed: no interval


@pytest.mark.parametrize('changes, told', [
    (dict(GH=GAIN),
     r'It helps by more than chance: DANN \+ GH, \+5\.0 \(.*\) points\.$'),
    (dict(GH=NOTHING), r'Not beyond chance. A gain of 1\.\d points would'),
    (dict(GH=LOSS), r'It harms: DANN \+ GH, -5\.0 \(.*\) points\.$'),
    (dict(GH=LOSS, GradVac=NOTHING),
     r'It harms: DANN \+ GH, .* Not beyond chance: DANN \+ GradVac\. A gain'),
    (dict(GH=(5., 5. + 1e-6, 5., 5.)),
     'Not beyond chance. All seeds gave the same difference'),
    (dict(GH=(5., )), 'With one seed nothing can be told'),
    ({}, 'Nothing was harmonized.'),
    (dict(WITHOUT_NULL, GH=GAIN),
     r'Better than .* is open, .* no null control .*: DANN \+ GH, \+5\.0 \('),
    (dict(WITHOUT_NULL, GH=LOSS), 'Worse than .* is open, .* no null control'),
    (dict(null=GAIN, GH=GAIN), 'Better than .* but not than the null .* GH, '),
    (dict(null=LOSS, GH=LOSS), 'Worse than .* but not than the null .* GH, '),
])
def test_headline_says_what_the_intervals_allow(load_tool, changes, told):
    verdicts = import_module('own_folders.verdicts')
    answer = verdicts.headline(
        settings_of(load_tool, **{'null': NOTHING, **changes}))
    answer = answer.partition(' Of 2 comparisons')[0].partition(' Two seeds')
    assert re.match(told, answer[0])
    # Not both of the same.
    assert answer[0].count('DANN + GH,') <= 1


def test_two_seeds_are_told_to_be_few(load_tool, finished):
    """They may differ by the same, and are then certain of nothing."""
    assert 'Two seeds are few' in page(finished)
    verdicts = import_module('own_folders.verdicts')
    found = settings_of(load_tool, null=NOTHING, GH=NOTHING)
    assert 'seeds are few' not in verdicts.headline(found)


def test_a_gain_that_the_null_has_as_well_is_no_help(load_tool):
    verdicts = import_module('own_folders.verdicts')
    gain = 5., 5.1, 4.9, 5.
    found = settings_of(load_tool, null=gain, GH=gain)
    assert 'may be chance' in verdicts.headline(found)
    null, harmonized = verdicts.sentences(found)
    assert 'by roundings alone: differs, by chance alone: +5.0' in null
    assert 'better than the baseline, but not than the null: +5.0' in (
        harmonized)


def test_folders_that_are_no_classes(load_tool, photos):
    """They are refused, unless they are said to be none."""
    domains = import_module('own_folders.domains')
    listing = import_module('own_folders.listing')
    source = listing.list_images(photos / 'shop')
    target = listing.Listing(photos / 'x', ['monday/1.png'], [])
    with pytest.raises(InputError, match='monday.*--no-target-labels'):
        domains.has_labels(source, target, True)
    assert not domains.has_labels(source, target, False)
    flat = listing.Listing(photos / 'x', ['1.png'], [])
    assert not domains.has_labels(source, flat, True)


def listed(load_tool, folder: Path, *names: str):
    listing = import_module('own_folders.listing')
    return listing.Listing(folder, sorted(names), [])


def nested(*names: str) -> list[str]:
    return [f'{name}/{kind}/1.png' for name in names for kind in NAMES]


@pytest.mark.parametrize('splits', [
    ('train', 'val'), ('Training', 'test', 'dev')])
def test_parts_of_a_data_set_are_no_classes(load_tool, tmp_path, splits):
    domains = import_module('own_folders.domains')
    target = listed(load_tool, tmp_path / 'x', '1.png')
    source = listed(load_tool, tmp_path / 's', *nested(*splits))
    with pytest.raises(InputError, match=f'bike.* --source .*/s/{splits[0]}'):
        domains.check_folders(source, target)
    flat = [f'{name}/1.png' for name in splits]
    domains.check_folders(listed(load_tool, tmp_path / 's', *flat), target)


def test_classes_of_the_same_folders_may_be_none(load_tool, tmp_path):
    notes = import_module('own_folders.image_notes')
    domains = import_module('own_folders.domains')
    source = listed(load_tool, tmp_path / 's', *nested('monday', 'friday'))
    note, = notes.notes_of_nesting(source)
    assert re.search('friday.*monday.* same folders, .*bike.*mug', note)
    domains.check_folders(source, listed(load_tool, tmp_path / 'x', '1.png'))
    for others in (['monday/bike/1.png', 'friday/mug/1.png'],
                   ['monday/one/1.png', 'friday/one/1.png'],
                   ['monday/1.png', 'friday/1.png']):
        assert not notes.notes_of_nesting(
            listed(load_tool, tmp_path / 's', *others))


@pytest.mark.parametrize('source, target', [
    ('shop', 'shop/mug'), ('shop/mug', 'shop'), ('shop', 'shop/../shop')])
def test_one_domain_within_the_other_is_refused(load_tool, tmp_path, source,
                                                target):
    domains = import_module('own_folders.domains')
    images = 'bike/1.png', 'mug/1.png'
    with pytest.raises(InputError, match='`--source` and `--target` should'):
        domains.check_folders(listed(load_tool, tmp_path / source, *images),
                              listed(load_tool, tmp_path / target, *images))


def test_classes_that_differ_in_capitals_are_told(load_tool, tmp_path):
    notes = import_module('own_folders.image_notes')
    domains = import_module('own_folders.domains')
    source = listed(load_tool, tmp_path / 's', 'ant/1.png', 'bee/1.png')
    upper = ['Ant/1.png', 'Wasp/1.png']
    with pytest.raises(InputError, match='capital .*: Ant = ant. If they are'):
        domains.has_labels(
            source, listed(load_tool, tmp_path / 't', *upper), True)
    note, *_ = notes.notes_of_classes(
        source, [source.images, ['bee/1.png', *upper]], ['ant', 'bee'], True)
    assert re.search('2 images are of no class .* capital .*: Ant = ant.$',
                     note)
    assert not notes.hint_of_case(['ant', 'wasp'], source.classes)


GREY = """
step = dict(type='LoadImageFromFile', color_type='grayscale')
pipeline = [step, dict(type='Resize', scale=scale), dict(type='PackInputs')]
model = dict(
    type='ImageClassifier', backbone=dict(type='LeNet5', num_classes=-1),
    neck=dict(type='GlobalAveragePooling'))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
"""


@pytest.mark.parametrize('size', [None, 32])
def test_grey_images_stay_grey_at_another_size(load_tool, tmp_path, size):
    classifier = import_module('own_folders.classifier')
    configs = import_module('own_folders.configs')
    file_pipeline = import_module('mmgh.deployment.file_pipeline')
    path = tmp_path / 'grey.py'
    path.write_text(f'scale = {(48 if size else 32, ) * 2}{GREY}')
    found = classifier.find_classifier(str(path), size)
    assert found.shape == (1, 32, 32)
    assert classifier.build_classifier(found, False, None).features == 120
    for pipeline in found.pipelines or configs._pipelines(found.shape):
        assert file_pipeline.image_format(pipeline).shape == (1, 32, 32)
