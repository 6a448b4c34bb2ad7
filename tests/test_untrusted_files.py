"""Nothing that is read runs code."""
from __future__ import annotations

import http.server
import os
import pickle
import threading
from collections import OrderedDict, deque
from datetime import date
from functools import partial
from pathlib import Path

import mmengine
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch import nn

from mmgh.analysis import load_trained
from mmgh.checkpoints import read_checkpoint
from mmgh.config_text import read_assignments
from mmgh.input_error import InputError
from mmgh.untrusted_files import (NotPlainDataError, as_data_by_default,
                                  load_from_local)


class Trap:
    """Makes a file when it is read as a pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path, )


@pytest.fixture
def trap(tmp_path):
    """A checkpoint with a trap, and the file that it makes."""
    made, path = tmp_path / 'made', tmp_path / 'a.pth'
    torch.save(dict(state_dict=dict(weight=Trap(made))), path)
    yield path
    assert not made.exists()
    torch.load(path, weights_only=False)
    assert made.exists()  # the trap works


def content() -> dict:
    """What a checkpoint of MMEngine has."""
    buffer = HistoryBuffer()
    for value in (1., 2., 4.):
        buffer.update(value)
    linear = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(linear.parameters())
    linear(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return dict(
        state_dict=linear.state_dict(),
        optimizer=optimizer.state_dict(),
        message_hub=dict(log_scalars=dict(loss=buffer)),
        meta=dict(iter=3, value=np.float64(3)))


def read_in_torch_2_1(path) -> dict:
    def load(f, map_location=None, pickle_module=None, **options):
        return torch.load(f, map_location, pickle_module, weights_only=False)

    return as_data_by_default(load)(path, 'cpu')


LOADERS = [
    lambda path: CheckpointLoader.load_checkpoint(str(path)),
    read_checkpoint, read_in_torch_2_1
]
NAMES = ['MMEngine', 'ours', 'older torch']


@pytest.mark.parametrize('load', LOADERS, ids=NAMES)
def test_weights_run_nothing(trap, load):
    with pytest.raises((InputError, pickle.UnpicklingError)):
        load(trap)


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('load', LOADERS[:2], ids=NAMES[:2])
@pytest.mark.parametrize('kept', [0, 0.5, 0.99])
def test_damaged_checkpoints_are_named(tmp_path, load, zipped, kept):
    path = tmp_path / 'b.pth'
    torch.save(content(), path, _use_new_zipfile_serialization=zipped)
    os.truncate(path, int(kept * path.stat().st_size))
    with pytest.raises(InputError, match='b.pth should be a checkpoint'):
        load(path)


@pytest.mark.parametrize('load', LOADERS[:2], ids=NAMES[:2])
def test_weights_that_changed_on_the_disk_are_named(tmp_path, load):
    path = tmp_path / 'b.pth'
    torch.save(dict(state_dict=dict(a=torch.zeros(1000))), path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1  # one bit of the zeros
    path.write_bytes(damaged)
    with pytest.raises(InputError, match='b.pth should be .* checksum'):
        load(path)


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('load', LOADERS[:2], ids=NAMES[:2])
@pytest.mark.parametrize('value, name', [
    (deque([1]), 'collections.deque'), (date(2020, 1, 1), 'datetime.date'),
    (slice(1), 'slice'), (np.float32, 'numpy.float32')])
def test_what_is_not_plain_data_is_named(tmp_path, load, value, name, zipped):
    path = tmp_path / 'b.pth'
    torch.save(dict(state_dict={}, mine=value), path,
               _use_new_zipfile_serialization=zipped)
    with pytest.raises(NotPlainDataError, match=(
            rf'b.pth should be .* holds `(builtins\.)?{name}`, which is not')):
        load(path)


def test_a_name_that_is_damaged_is_told_as_damage(tmp_path):
    path = tmp_path / 'b.pth'
    torch.save(dict(state_dict=OrderedDict(a=1)), path)
    content = path.read_bytes()
    assert content.count(b'OrderedDict') == 1
    path.write_bytes(content.replace(b'OrderedDict', b'OrderedDicu'))
    with pytest.raises(InputError, match='checksum') as error:
        read_checkpoint(path)
    assert not isinstance(error.value, NotPlainDataError)


@pytest.mark.skipif(
    not hasattr(torch.serialization, 'set_crc32_options'),
    reason='torch always writes checksums')
@pytest.mark.parametrize('load', LOADERS[:2], ids=NAMES[:2])
def test_checkpoints_without_checksums_are_read(tmp_path, load):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(content(), tmp_path / 'b.pth')
    finally:
        torch.serialization.set_crc32_options(True)
    assert load(tmp_path / 'b.pth').keys() == content().keys()


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('load', LOADERS, ids=NAMES)
def test_checkpoints_are_read(tmp_path, load, zipped):
    expected = content()
    torch.save(expected, tmp_path / 'b.pth',
               _use_new_zipfile_serialization=zipped)
    found = load(tmp_path / 'b.pth')
    for name in ('state_dict', 'optimizer', 'meta'):
        torch.testing.assert_close(dict(found[name]), dict(expected[name]))
    buffer = found['message_hub']['log_scalars']['loss']
    assert buffer.data[0].tolist() == [1, 2, 4]
    assert buffer.mean(2) == 3


def test_downloads_run_nothing(trap, tmp_path, monkeypatch):
    """Although torch's own download does."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    handler.func.log_message = lambda *args: None
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f'http://127.0.0.1:{server.server_port}/a.pth'
        with pytest.raises(pickle.UnpicklingError):
            CheckpointLoader.load_checkpoint(url)
        server.shutdown()


def test_the_config_that_mmengine_would_run_is_left_out(tmp_path):
    meta = dict(config='raise AssertionError', iter=3)
    torch.save(dict(meta=meta, state_dict={}), tmp_path / 'b.pth')
    found = CheckpointLoader.load_checkpoint(str(tmp_path / 'b.pth'))
    assert found['meta'] == dict(iter=3)


@pytest.mark.parametrize('protocol', range(6))
def test_pickled_lists_run_nothing(tmp_path, protocol):
    path = tmp_path / 'list.pkl'
    path.write_bytes(pickle.dumps([Trap(tmp_path / 'made')], protocol))
    with pytest.raises(pickle.UnpicklingError, match='is not run'):
        mmengine.load(path)
    assert not (tmp_path / 'made').exists()


@pytest.mark.parametrize('protocol', range(6))
def test_pickled_lists_of_data_are_read(tmp_path, protocol):
    expected = [
        dict(img_path='a.png', gt_label=1, box=np.arange(4.),
             score=torch.ones(2), name=np.str_('a'), pair=(1, None),
             kinds={1, 2})
    ]
    path = tmp_path / 'list.pkl'
    path.write_bytes(pickle.dumps(expected, protocol))
    found = mmengine.load(path)
    assert repr(found) == repr(expected)


CFG = "model = dict(type='ImageClassifier', head=dict(num_classes=3))\n"


@pytest.fixture
def trained(tmp_path):
    """``trained(cfg)`` reads a checkpoint that says it was trained so."""

    def read(cfg: str):
        path = tmp_path / 'iter_4.pth'
        torch.save(dict(meta=dict(cfg=cfg, iter=4), state_dict={}), path)
        return load_trained(path)

    return read


@pytest.mark.parametrize('line', [
    '_x = __import__("os").system("touch {made}")',
    'import os',
    'open("{made}", "w")',
    'a = dict(b=open("{made}", "w"))',
    'a = [open("{made}", "w") for _ in (1, )]',
    'a = (lambda: open("{made}", "w"))()',
    'a = dict(**open("{made}", "w"))',
    'a = f\'{{open("{made}", "w")}}\'',
    'a = list(open("{made}", "w"))',
    'a = {{open("{made}", "w"): 1}}',
    'a: open("{made}", "w") = 1',
    'a[open("{made}", "w")] = 1',
    'dict = list',
    'a = b',
    'a = 2 ** 3',
    'class a: pass',
    'if True: a = 1',
    'a = (',
    'a = ' + '(' * 999,
    'filename = "a"',
])
def test_config_of_a_checkpoint_is_not_run(trained, tmp_path, line):
    made = tmp_path / 'made'
    for cfg in (CFG + line.format(made=made), line.format(made=made) + '\n' +
                CFG):
        with pytest.raises(InputError, match='iter_4.pth should have a conf'):
            _ = trained(cfg).cfg
        assert not made.exists()


@pytest.mark.parametrize('kind', [
    'os.system', 'subprocess.Popen', 'builtins.exec', 'mmengine.load',
    'mmpretrain.get_model', 'torch.load', 'mmgh.compat.has_safe_globals',
    'pickle.Unpickler', 'nowhere.at_all'
])
@pytest.mark.parametrize('place', [
    "model = dict(type='{}')",
    "model = dict(type='ImageClassifier', backbone=dict(type='{}'))",
    "model = {{'type': 'a', 'b': [(dict(type='{}'), )]}}",
    "data_preprocessor = dict(type='{}')",
    "test_dataloader = dict(dataset=dict(pipeline=[dict(type='{}')]))",
    "train_dataloader = dict(collate_fn=dict(type='{}'))",
    "test_evaluator = [dict(type='{}')]",
    "tta_pipeline = [dict(type='{}')]",
])
def test_functions_are_no_types(trained, kind, place):
    cfg = CFG + place.format(kind)
    with pytest.raises(InputError, match=f'iter_4.pth should only .*{kind}'):
        _ = trained(cfg).cfg
    with pytest.raises(InputError, match=f'iter_4.pth should only .*{kind}'):
        trained(cfg).build_model()


@pytest.mark.parametrize('kind', [
    'ImageClassifier', 'mmpretrain.ImageClassifier', 'mmgh.UDAClassifier',
    'torch.nn.Linear', 'torch.nn.modules.linear.Linear',
    'mmpretrain.models.classifiers.ImageClassifier', 'mine'
])
def test_registered_types_and_layers_are(trained, kind):
    assert trained(f"model = dict(type='{kind}')").cfg.model.type == kind


def test_numbers_that_python_has_no_literal_for():
    """As ``max_weight=inf``, which MMEngine writes so."""
    text = mmengine.Config(
        dict(a=float('inf'), b=dict(c=[-float('inf'), (float('nan'), )]))
    ).pretty_text
    assert repr(read_assignments(text)) == \
        "{'a': inf, 'b': {'c': [-inf, (nan,)]}}"


def test_a_checkpoint_that_is_no_dict_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(InputError, match='list.pth should be .* is a list'):
        load_from_local(str(tmp_path / 'list.pth'))
