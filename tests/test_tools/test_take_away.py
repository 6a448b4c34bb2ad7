"""tools/export.py and tools/predict.py on a run of a few iterations."""
from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmgh.datasets import DigitsM
from mmgh.deployment import translations
from ..test_deployment.onnx_packages import skip_without_onnx
from .short_runs import read

ROOT = Path(__file__).parents[2]
# It has a backbone and a head of mmgh.
CONFIG = (
    ROOT / 'configs/gvb/gvb-gh_lenet_1xb32-1k_digits-digits2digitsm.py')
NUM_IMAGES = 20


@pytest.fixture(scope='module')
def run(train, tmp_path_factory) -> Path:
    work_dir = tmp_path_factory.mktemp('take_away') / 'run'
    train(CONFIG, work_dir)
    return work_dir


@pytest.fixture(scope='module')
def images(run) -> Path:
    """The first test images, in a folder of each class."""
    folder = run.parent / 'images'
    dataset = DigitsM('test')
    classes = dataset.metainfo['classes']
    for name in classes:
        (folder / name).mkdir(parents=True)
    for i in range(NUM_IMAGES):
        item = dataset.get_data_info(i)
        name = classes[item['gt_label']]
        Image.fromarray(item['img']).save(folder / name / f'{i:03}.png')
    return folder


@pytest.fixture(scope='module')
def tested(tools, run) -> dict[int, torch.Tensor]:
    """Scores by tools/test.py, by number of the image."""
    tools('test', CONFIG, run / 'iter_6.pth', '--work-dir',
          run.parent / 'test', '--out', run.parent / 'tested.pkl')
    return {
        i: sample['pred_score']
        for i, sample in enumerate(mmengine.load(run.parent / 'tested.pkl'))
    }


@pytest.fixture(scope='module')
def exported(tools, run) -> Path:
    tools('export', run, '--out', run.parent / 'exported')
    return run.parent / 'exported'


def expected_scores(tested, images: Path) -> torch.Tensor:
    files = sorted(images.rglob('*.png'))
    return torch.stack([tested[int(file.stem)] for file in files])


def read_csv(path: Path) -> list[dict]:
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def test_files_are_predicted_as_test_images(tools, run, images, tested,
                                            tmp_path, capsys):
    out = tmp_path / 'new/predictions.csv'
    tools('predict', run, images, '--out', out, '--batch-size', 7, '--top-k',
          10)
    rows = read_csv(out)
    assert len(rows) == NUM_IMAGES
    names = DigitsM.METAINFO['classes']
    for row in rows:
        scores = tested[int(Path(row['path']).stem)]
        order = scores.argsort(descending=True).tolist()
        assert [row[f'class_{k}'] for k in range(1, 11)] == [
            names[label] for label in order
        ]
        assert [float(row[f'probability_{k}']) for k in range(1, 11)
                ] == pytest.approx(scores[order].tolist(), abs=2e-6)
    first = capsys.readouterr().out.splitlines()[2].split('|')
    assert first[1].strip() == rows[0]['path']
    assert first[2].strip() == rows[0]['class_1']


@pytest.fixture
def own_head(run, tmp_path, monkeypatch) -> Path:
    """The run with a UDA head and a hook of one's own, in a module that fails
    once it is imported."""
    (tmp_path / 'head_of_mine.py').write_text('1 / 0')
    monkeypatch.syspath_prepend(str(tmp_path))
    content = read(run / 'iter_6.pth')
    cfg = Config.fromstring(content['meta']['cfg'], '.py')
    cfg.model.uda_head.type = 'mmgh.HeadOfMine'
    cfg.custom_hooks = [dict(type='HookOfMine')]
    cfg.custom_imports = dict(imports=['head_of_mine'])
    content['meta']['cfg'] = cfg.pretty_text
    torch.save(content, tmp_path / 'own.pth')
    return tmp_path / 'own.pth'


def test_a_module_that_only_training_needs_is_not_imported(
        tools, run, own_head, images, tmp_path, capsys):
    tools('predict', run, images, '--out', tmp_path / 'a.csv')
    assert 'not imported' not in capsys.readouterr().err
    tools('predict', own_head, images, '--out', tmp_path / 'b.csv')
    assert 'not imported: head_of_mine' in capsys.readouterr().err
    assert (tmp_path / 'a.csv').read_text() == (tmp_path / 'b.csv').read_text()
    tools('export', own_head, '--out', tmp_path / 'exported')
    assert 'of_mine' not in (tmp_path / 'exported/config.py').read_text()


@pytest.mark.parametrize('tool', ['predict', 'export'])
def test_a_module_that_predicts_is_imported_if_it_is_named(
        tools, own_head, images, tmp_path, tool):
    content = read(own_head)
    content['meta']['cfg'] = content['meta']['cfg'].replace(
        "'mmgh.DigitsLeNet'", "'NetworkOfMine'")
    torch.save(content, own_head)
    arguments = dict(predict=[images, '--out', tmp_path / 'a.csv'],
                     export=['--out', tmp_path / 'exported'])[tool]
    option = 'custom_imports.imports=head_of_mine'
    with pytest.raises(SystemExit, match=f"has .'head_of_mine'..*{option}"):
        tools(tool, own_head, *arguments)
    with pytest.raises(ZeroDivisionError):
        tools(tool, own_head, *arguments, '--cfg-options', option)


def test_gray_images_and_those_with_transparency(tools, run, tmp_path):
    gray = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (40, 30), dtype=np.uint8))
    for mode in ('L', 'RGB', 'RGBA'):
        gray.convert(mode).save(tmp_path / f'{mode}.png')
    tools('predict', run, tmp_path, '--out', tmp_path / 'predictions.csv')
    rows = read_csv(tmp_path / 'predictions.csv')
    assert len(rows) == 3
    for row in rows:
        del row['path']
    assert rows[0] == rows[1] == rows[2] and 'class_6' not in rows[0]


def test_broken_image_is_named_and_left_out(tools, run, images, tmp_path,
                                            capsys):
    broken = tmp_path / 'broken.png'
    broken.write_text('no image')
    good = next(images.rglob('*.png'))
    out = tmp_path / 'predictions.csv'
    with pytest.raises(SystemExit, match='1 of 2 files cannot be read'):
        tools('predict', run, broken, good, good, '--out', out)
    assert f'{broken} is left out' in capsys.readouterr().out
    assert [row['path'] for row in read_csv(out)] == [str(good)]
    with pytest.raises(SystemExit, match='None of the 1 files can be read'):
        tools('predict', run, broken, '--out', out)


@pytest.mark.parametrize('options, message', [
    (['--top-k', '11'], '`--top-k` should be at most .* 10, but is 11'),
    ([], 'at least one image .* none in'),
    (['missing'], 'missing does not exist'),
])
def test_wrong_input_of_predict(tools, run, tmp_path, options, message):
    with pytest.raises(SystemExit, match=message):
        tools('predict', run, tmp_path, *options, '--out', tmp_path / 'p.csv')
    assert not (tmp_path / 'p.csv').exists()


def test_a_folder_is_no_csv(tools, run, images, capsys):
    with pytest.raises(SystemExit):
        tools('predict', run, images, '--out', images)
    assert '--out: should be a file to write, but' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['predict', 'export'])
def test_help_comes_without_a_warning(name):
    result = subprocess.run(
        [sys.executable, ROOT / f'tools/{name}.py', '--help'],
        capture_output=True,
        text=True)
    assert (result.returncode, result.stderr) == (0, '')


def test_names_are_written_as_utf_8(load_tool, tmp_path):
    write = load_tool('predict').write_predictions
    write(tmp_path / 'new/p.csv', [Path('é.png')], [[('Schlüssel', 0.25)]], 1)
    assert (tmp_path / 'new/p.csv').read_bytes().decode().splitlines() == [
        'path,class_1,probability_1', 'é.png,Schlüssel,0.250000'
    ]


def test_few_classes_are_all_listed(load_tool):
    choose = load_tool('predict').choose_top_k
    assert [choose(None, 3), choose(None, 31), choose(3, 3)] == [3, 5, 3]


def test_exported_classifier_needs_no_mmgh(exported, images, tested):
    names = {path.name for path in exported.iterdir()}
    assert names == {'config.py', 'classifier.pth'}
    for path in exported.iterdir():
        assert b'mmgh' not in path.read_bytes().lower()
    script = Path(__file__).with_name('predict_without_mmgh.py')
    result = subprocess.run(
        [sys.executable, script, exported, images, ROOT / 'mmgh/compat.py'],
        cwd=exported,
        capture_output=True,
        text=True)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout.splitlines()[-1])
    expected = expected_scores(tested, images)
    torch.testing.assert_close(
        torch.tensor(said['scores']), expected, atol=1e-5, rtol=1e-4)
    classes = DigitsM.METAINFO['classes']
    assert said['classes'] == [classes[i] for i in expected.argmax(1)]
    labels = [path.parent.name for path in sorted(images.rglob('*.png'))]
    right = [a == b for a, b in zip(labels, said['classes'])]
    assert said['accuracy'] == pytest.approx(100 * np.mean(right))


def test_exported_onnx_reads_rgb(tools, run, images, tested, tmp_path):
    skip_without_onnx()
    runtime = pytest.importorskip('onnxruntime')
    tools('export', run, '--out', tmp_path / 'onnx', '--onnx')
    path, = (tmp_path / 'onnx').iterdir()
    pixels = np.stack([
        np.asarray(Image.open(file), np.float32).transpose(2, 0, 1)
        for file in sorted(images.rglob('*.png'))
    ])
    scores, = runtime.InferenceSession(path).run(['probabilities'],
                                                 dict(images=pixels))
    torch.testing.assert_close(
        torch.from_numpy(scores),
        expected_scores(tested, images),
        atol=1e-4,
        rtol=0)


def test_nothing_is_overwritten(tools, run, exported, capsys):
    before = (exported / 'config.py').read_text()
    with pytest.raises(SystemExit):
        tools('export', run, '--out', exported)
    assert 'new or an empty folder' in capsys.readouterr().err
    assert (exported / 'config.py').read_text() == before


def test_nothing_is_written_if_predictions_differ(tools, run, tmp_path,
                                                  monkeypatch):
    """As with a translation that forgets the bridge."""

    def forget(part, weights):
        return dict(part, type='LinearClsHead'), {
            name: value
            for name, value in weights.items() if 'bridge' not in name
        }

    monkeypatch.setitem(translations.TRANSLATIONS, 'BridgeClsHead', forget)
    with pytest.raises(SystemExit, match='within 0.0001, but they differ'):
        tools('export', run, '--out', tmp_path / 'exported')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('value', [float('nan'), 1e38])
@pytest.mark.parametrize('tool', ['predict', 'export', 'onnx', 'test'])
def test_a_training_that_diverged_is_refused(tools, run, images, tmp_path,
                                             tool, value):
    """By NaN in the weights, or by what large ones give."""
    if tool == 'onnx':
        skip_without_onnx()
    content = read(run / 'iter_6.pth')
    for name, weight in content['state_dict'].items():
        if name.startswith('backbone') and weight.is_floating_point():
            weight.fill_(value)
    path = tmp_path / 'diverged.pth'
    torch.save(content, path)
    out = tmp_path / 'out'
    arguments = dict(
        predict=('predict', path, images, '--out', out.with_suffix('.csv')),
        export=('export', path, '--out', out),
        onnx=('export', path, '--onnx', '--out', out),
        test=('test', CONFIG, path, '--work-dir', tmp_path / 'test'))[tool]
    with pytest.raises(SystemExit, match='diverged.pth should give finite .*'
                       'the training diverged'):
        tools(*arguments)
    assert not out.exists() and not out.with_suffix('.csv').exists()
