"""Which errors of a config the user can mend."""
from __future__ import annotations

import inspect
import json
import sys

import pytest
import torch
from mmengine.config import Config

from mmgh.analysis import load_config, load_trained
from mmgh.config_file import read_config
from mmgh.config_place import find_config
from mmgh.input_error import InputError
from .config_names import CONFIGS, ROOT

TEXT = "custom_imports = dict(imports=['my_heads.mean_head'])\n"
TRUSTED = {'custom_imports.imports': ['my_heads.mean_head']}
MESSAGE = 'needs the module my_heads, .* PYTHONPATH to the folder that has it'


@pytest.fixture
def saved(tmp_path):
    """A config, and a checkpoint of its run."""
    config, checkpoint = tmp_path / 'mine.py', tmp_path / 'iter_4.pth'
    config.write_text(TEXT)
    torch.save(dict(meta=dict(cfg=TEXT), state_dict={}), checkpoint)
    return config, checkpoint


@pytest.fixture
def package(tmp_path, monkeypatch):
    """``package(text)`` writes the module into a folder that is on the
    path."""

    def write(text: str) -> None:
        folder = tmp_path / 'path/my_heads'
        folder.mkdir(parents=True)
        (folder / 'mean_head.py').write_text(text)
        monkeypatch.syspath_prepend(str(folder.parent))

    yield write
    for name in [name for name in sys.modules if name.startswith('my_heads')]:
        del sys.modules[name]


def test_module_that_is_not_there_is_named(saved):
    config, checkpoint = saved
    with pytest.raises(InputError, match=f'{config} {MESSAGE}'):
        read_config(config)
    for path in (checkpoint, config):
        with pytest.raises(InputError, match=f'{path} {MESSAGE}'):
            load_config(path, TRUSTED)
    with pytest.raises(InputError, match=f'{checkpoint} {MESSAGE}'):
        _ = load_trained(checkpoint, TRUSTED).cfg


def test_module_that_is_on_the_path_is_imported(saved, package):
    package('VALUE = 1')
    for path in saved:
        assert load_config(path, TRUSTED).custom_imports.imports
    assert sys.modules['my_heads.mean_head'].VALUE == 1


def test_checkpoint_has_nothing_imported_that_the_user_does_not_name(
        saved, package):
    """It may be of a stranger, who gives the module as well."""
    package('VALUE = 1')
    with pytest.raises(
            InputError,
            match=r"iter_4.pth .* has \['my_heads.mean_head'\].*"
            'custom_imports.imports=my_heads.mean_head'):
        load_config(saved[1])
    assert 'my_heads' not in sys.modules


def test_numbers_of_a_checkpoint_need_no_module(saved, package):
    """To compare runs, nothing of them is built."""
    package('VALUE = 1')
    text = f'{TEXT}model = dict(head=dict(num_classes=3))'
    torch.save(dict(meta=dict(cfg=text, iter=4), state_dict={}), saved[1])
    trained = load_trained(saved[1])
    assert trained.classes == ['0', '1', '2']
    assert trained.iterations_of_step == 1
    assert trained.untrusted_imports == ['my_heads.mean_head']
    assert not load_trained(saved[1], TRUSTED).untrusted_imports
    assert 'my_heads' not in sys.modules


@pytest.mark.parametrize('text', [
    "default_scope = 'my_heads'", "model = dict(parts=[dict(_scope_='my_heads'"
    ")])"
])
def test_checkpoint_has_no_package_searched_for_types(saved, package, text):
    package('VALUE = 1')
    torch.save(dict(meta=dict(cfg=text), state_dict={}), saved[1])
    with pytest.raises(InputError, match="_scope.* of .*, but is 'my_heads'"):
        load_config(saved[1])
    assert 'my_heads' not in sys.modules


def test_module_that_needs_another_names_that_one(saved, package):
    package('import another_module_of_mine')
    with pytest.raises(InputError, match='module another_module_of_mine,'):
        read_config(saved[0])


def test_other_failures_of_the_module_keep_their_traceback(saved, package):
    package('from math import no_such_name')
    for path in saved:
        with pytest.raises(ImportError):
            load_config(path, TRUSTED)


def test_what_is_no_config_is_refused(tmp_path):
    path = tmp_path / 'README.md'
    with pytest.raises(FileNotFoundError, match='README.md should be a'):
        read_config(path)
    path.write_text('# Not a config')
    with pytest.raises(InputError, match='README.md should be a config that'):
        read_config(path)


@pytest.mark.parametrize('name, text, line', [
    ('slip.py', 'a = 1\nb = dict(', 2),
    ('slip.py', 'a = 1\n\nb = = 3', 3),
    ('slip.yaml', 'a: 1\nb: {c: [1\n', 3),
    ('slip.yaml', 'a: \x00', None),
    ('slip.json', '{"a": 1,\n "b" 2}', 2),
    ('slip.py', b'a = 1\n# caf\xe9', 2),
    ('slip.yaml', b'a: caf\xe9', 1),
])
@pytest.mark.parametrize('is_base', [False, True])
def test_slip_in_the_text_is_told_by_file_and_line(tmp_path, name, text, line,
                                                   is_base):
    slip, path = tmp_path / name, tmp_path / name
    slip.write_bytes(text if isinstance(text, bytes) else text.encode())
    if is_base:
        path = tmp_path / 'mine.py'
        path.write_text(f'_base_ = {name!r}')
    place = str(slip) if line is None else f'{slip}, line {line}'
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert str(caught.value).startswith(
        f'{path} should be a config that MMEngine reads, but {place}: ')
    assert '\n' not in str(caught.value)


def test_slip_in_a_base_that_is_imported_names_that_file(tmp_path):
    (tmp_path / 'base.py').write_text('a = 1\nb = dict(')
    path = tmp_path / 'mine.py'
    path.write_text('from mmengine.config import read_base\n'
                    'with read_base():\n'
                    '    from .base import *\n')
    with pytest.raises(InputError, match=r'base\.py, line 2: '):
        read_config(path)


@pytest.mark.parametrize('name, text, found', [
    ('mine.yaml', '', 'NoneType'), ('mine.yml', '- a\n', 'list'),
    ('mine.json', 'null', 'NoneType'), ('mine.yaml', '1: 2', r'\[1\]')])
@pytest.mark.parametrize('is_base', [False, True])
def test_file_without_settings_is_refused(tmp_path, name, text, found,
                                          is_base):
    (tmp_path / name).write_text(text)
    path = tmp_path / ('child.py' if is_base else name)
    if is_base:
        path.write_text(f'_base_ = {name!r}')
    with pytest.raises(InputError, match=f'{name} should have settings by '
                       f'their names, but has {found}'):
        read_config(path)


ONE = ('one.py', 'a = 1\nb = dict(c=2)\n')


@pytest.mark.parametrize('text, place, problem', [
    ('a = dict()\nb = a["c"]', 'mine.py, line 2', 'KeyError: c'),
    ('\n\nb = eval("1 +")', 'mine.py, line 3', 'SyntaxError: '),
    ('a = {{ fileDirnam }}', 'mine.py, line 1', "NameError: name 'fileDir"),
    ('_base_ = "one.py"\nb = _base_.b.d.e', 'mine.py, line 2',
     "AttributeError: 'ConfigDict' object has no attribute 'd'"),
    ('_base_ = "one.py"\nc = {{_base_.d}}', 'mine.py', 'KeyError: d'),
    ('_base_ = "one.py"\na = dict(b=1)', 'mine.py', 'TypeError: a='),
    ('_base_ = ["one.py", "one.py"]', 'mine.py', 'KeyError: Duplicate key'),
    ('_base_ = "two.py"', 'two.py, line 1', 'ZeroDivisionError: '),
    ('from mmengine.config import read_base\nwith read_base():\n'
     '    from .one import *\nb.update(c=forgotten)', 'mine.py, line 4',
     "NameError: name 'forgotten'"),
])
def test_slip_that_shows_in_reading_is_told_by_file_and_line(
        tmp_path, text, place, problem):
    for name, content in (ONE, ('two.py', 'a = 1 / 0'), ('mine.py', text)):
        (tmp_path / name).write_text(content)
    path = tmp_path / 'mine.py'
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert str(caught.value).startswith(
        f'{path} should be a config that MMEngine reads, but {tmp_path}/'
        f'{place}: {problem}')
    assert '\n' not in str(caught.value)


def test_config_that_is_a_base_of_itself_is_refused(tmp_path):
    for name, base in (('one.py', 'two.py'), ('two.py', 'one.py')):
        (tmp_path / name).write_text(f'_base_ = {base!r}')
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        with pytest.raises(
                InputError, match=r'(one|two)\.py is a base of itself'):
            read_config(tmp_path / 'one.py')
    finally:
        sys.setrecursionlimit(limit)


def test_what_a_config_calls_keeps_its_traceback(saved, package):
    package('def mean(values):\n    return sum(values) / 0\n')
    path = saved[0].with_name('mine.py')
    path.write_text('heads = __import__("my_heads.mean_head")\n'
                    'a = heads.mean_head.mean([1])\n')
    with pytest.raises(ZeroDivisionError):
        read_config(path)


def test_slip_in_a_module_of_the_config_names_that_file(saved, package):
    package('def mean(:\n')
    with pytest.raises(InputError, match=r'mean_head\.py, line 1: '):
        read_config(saved[0])


def test_other_files_that_a_config_reads_keep_their_traceback(tmp_path):
    (tmp_path / 'classes.json').write_text('[1,')
    path = tmp_path / 'mine.py'
    path.write_text(
        'reader = __import__("json")\n'
        f'classes = reader.load(open("{tmp_path}/classes.json"))\n')
    with pytest.raises(json.JSONDecodeError):
        read_config(path)


NAME = 'dann/dann_lenet_1xb32-1k_digits-digits2digitsm.py'


@pytest.mark.parametrize('prefix', ['', 'configs/', 'mmgh::'])
def test_config_that_comes_with_mmgh_is_found(tmp_path, monkeypatch, prefix):
    monkeypatch.chdir(tmp_path)
    found = find_config(prefix + NAME)
    assert found.samefile(ROOT / NAME)
    # One's own of that name goes first.
    own = tmp_path / (prefix + NAME)
    own.parent.mkdir(parents=True)
    own.write_text('a = 1')
    assert find_config(prefix + NAME).samefile(own)


def test_config_of_another_package_is_found():
    cfg = read_config('mmpretrain::resnet/resnet18_8xb32_in1k.py')
    assert cfg.model.backbone.depth == 18


@pytest.mark.parametrize('path', [
    'dann/dann.py', 'mmgh::dann.py', 'mmgh::../tools/train.py',
    '../tools/train.py', 'no_package::' + NAME, 'mmengine.config::a.py',
    'mmgh::', 'a::b::' + NAME, 'dann', '::' + NAME[1:]
])
def test_other_names_are_refused(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match='should be a config that'):
        read_config(path)


@pytest.mark.parametrize('path', CONFIGS[::10], ids=lambda path: path.stem)
def test_base_of_the_package_is_like_a_file(tmp_path, path):
    """Nothing tells the two apart: neither types nor functions are looked for
    in another scope."""
    name = path.relative_to(ROOT)
    mine = tmp_path / 'mine.py'
    mine.write_text(f"_base_ = 'mmgh::{name}'\nwork_dir = 'a'\n")
    same = tmp_path / 'same.py'
    same.write_text(f"_base_ = '{path}'\nwork_dir = 'a'\n")
    cfg = Config.fromfile(mine)
    assert cfg.work_dir == 'a'
    assert cfg.to_dict() == Config.fromfile(same).to_dict()


@pytest.mark.parametrize('value', ['inf', '-inf', 'nan'])
def test_what_mmengine_writes_of_an_infinite_number_is_read(tmp_path, value):
    cfg = Config(dict(optim_wrapper=dict(max_weight=float(value), w=(1, [2]))))
    cfg.dump(tmp_path / 'written.py')
    assert value in (tmp_path / 'written.py').read_text()
    found = read_config(tmp_path / 'written.py', {'optim_wrapper.lr': 3})
    assert repr(found.optim_wrapper.max_weight) == value
    assert found.optim_wrapper.lr == 3
    assert found.filename == str(tmp_path / 'written.py')


@pytest.mark.parametrize('text', [
    'a = inf\nb = print(1)', 'a = ture', "_base_ = 'base.py'\na = inf"])
def test_other_names_that_are_not_there_are_told(tmp_path, text):
    (tmp_path / 'base.py').write_text('b = 1')
    (tmp_path / 'mine.py').write_text(text)
    with pytest.raises(InputError, match="NameError: name '(inf|ture)'"):
        read_config(tmp_path / 'mine.py')
