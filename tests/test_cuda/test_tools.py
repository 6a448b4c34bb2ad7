"""The tools on a GPU: train, resume, test, predict, export, NCCL."""
from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ..test_tools.short_runs import (SHORT, assert_same_training, logged, read,
                                     stop_after_three)

ROOT = Path(__file__).parents[2]
END = '1xb32-1k_digits-digits2digitsm.py'
DANN = ROOT / f'configs/dann/dann-ghpp_lenet_{END}'
METHODS = [
    DANN, ROOT / f'configs/mcd/mcd-alternating-cls-ghpp_lenet_{END}',
    ROOT / f'configs/ssrt/ssrt-ghpp_vit-tiny_{END}'
]
# Else sums are formed in another order each time.
EXACT = 'randomness.deterministic=True'


@pytest.fixture
def exact(monkeypatch):
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = False
    torch.backends.cudnn.benchmark = False


@pytest.mark.parametrize('config', METHODS, ids=lambda path: path.stem)
def test_resumed_run_equals_an_uninterrupted_one(config, device, exact, train,
                                                 tmp_path):
    whole = train(config, tmp_path / 'whole', EXACT)
    stopped = stop_after_three(tmp_path / 'whole', tmp_path / 'stopped')
    assert_same_training(train(config, stopped, EXACT, resume=True), whole)


@pytest.mark.parametrize('flag', [[], ['--amp']], ids=str)
def test_steps_are_those_of_the_cpu(flag, cuda, tools, tmp_path):
    """From the weights of a checkpoint, as a GPU draws other ones, and
    without dropout, for which it draws other numbers."""
    begin_on_cpu(tmp_path / 'begun')
    losses = []
    for name in ('gpu', 'cpu'):
        work_dir = tmp_path / name
        arguments = [DANN, '--work-dir', work_dir]
        options = [
            '--cfg-options', *SHORT, f'experiment_name={name}{flag}',
            'model.uda_head.discriminator.dropout=0.',
            'model.backbone.dropout=0.',
            f"load_from={tmp_path / 'begun/iter_3.pth'}"
        ]
        if name == 'gpu':
            tools('train', *arguments, *flag, *options)
        else:
            run_without_gpu('train.py', *arguments, *options)
        losses.append(logged(read(work_dir / 'iter_6.pth'), 'loss_cls'))
    tolerance = 0.02 if flag else 0.005
    assert losses[0] == pytest.approx(losses[1], rel=tolerance)


def begin_on_cpu(work_dir: Path) -> None:
    run_without_gpu('train.py', DANN, '--work-dir', work_dir, '--cfg-options',
                    *SHORT)


def run_without_gpu(tool: str, *arguments) -> None:
    subprocess.run([sys.executable, ROOT / 'tools' / tool, *arguments],
                   check=True,
                   env=dict(os.environ, CUDA_VISIBLE_DEVICES=''))


@pytest.fixture
def run(device, train, tmp_path) -> Path:
    train(DANN, tmp_path / 'run')
    return tmp_path / 'run'


def test_logged_accuracy_is_the_one_of_test(run, tools, tmp_path):
    tools('test', DANN, run / 'iter_6.pth', '--work-dir', tmp_path / 'test')
    path, = (tmp_path / 'test').glob('*/*.json')
    tested = json.loads(path.read_text())['accuracy/top1']
    lines = next(run.glob('*/vis_data/scalars.json')).read_text().splitlines()
    validated = [json.loads(line) for line in lines]
    assert tested == [line['accuracy/top1'] for line in validated
                      if 'accuracy/top1' in line][-1]


def test_exported_classifier_predicts_on_both(run, device, tools, tmp_path):
    images = tmp_path / 'images'
    images.mkdir()
    from PIL import Image
    for i in range(4):
        pixels = torch.randint(0, 256, (28, 28, 3), dtype=torch.uint8)
        Image.fromarray(pixels.numpy()).save(images / f'{i}.png')
    scores = []
    for place in (device, 'cpu'):
        out = tmp_path / f'{place}.csv'
        tools('predict', run, images, '--device', place, '--out', out)
        rows = list(csv.reader(out.read_text().splitlines()))[1:]
        scores.append([row[:2] for row in rows])
    assert len(scores[0]) == 4 and scores[0] == scores[1]


def test_nccl_with_one_rank_trains_as_one_process(cuda, exact, train,
                                                  tmp_path):
    alone = train(DANN, tmp_path / 'alone', EXACT)
    work_dir = tmp_path / 'nccl'
    subprocess.run([
        'bash', ROOT / 'tools/dist_train.sh', DANN, '1', '--work-dir',
        work_dir, '--cfg-options', *SHORT, EXACT
    ], check=True)
    log = next(work_dir.glob('*/*.log')).read_text()
    assert 'MMDistributedDataParallel' in log or 'nccl' in log
    ranked = read(work_dir / 'iter_6.pth')
    torch.testing.assert_close(
        ranked['state_dict'], alone['state_dict'], rtol=1e-4, atol=1e-5)
