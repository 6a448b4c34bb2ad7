"""Repairs of released dependencies."""
from __future__ import annotations

import io
import logging
import pickle
import re
import subprocess
import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine import optim
from mmengine.fileio import FileClient
from mmengine.logging import HistoryBuffer, MMLogger

from mmgh.compat import after_import, check_minimum_version, is_at_least
from mmgh.untrusted_files import as_data_by_default, data_pickle
from .log_warnings import warnings_of

ROOT = Path(__file__).parents[1]


def test_log_buffer_of_a_checkpoint_is_loaded(tmp_path):
    buffer = HistoryBuffer()
    for value in (1., 2., 4.):
        buffer.update(value)
    torch.save(dict(buffer=buffer, number=np.float64(3)), tmp_path / 'a.pth')
    loaded = torch.load(tmp_path / 'a.pth')
    assert loaded['buffer'].data[0].tolist() == [1, 2, 4]
    assert loaded['buffer'].mean(3) == pytest.approx(7 / 3)
    assert loaded['number'] == 3


def test_log_buffer_is_loaded_after_others_allowed_it_for_a_while(tmp_path):
    """As the forks do; torch then takes away what was allowed before."""
    pytest.importorskip('torch', '2.6')
    torch.save(HistoryBuffer([1.], [1]), tmp_path / 'a.pth')
    with torch.serialization.safe_globals(
            [HistoryBuffer, np.ndarray, np.dtype, getattr]):
        pass
    assert isinstance(torch.load(tmp_path / 'a.pth'), HistoryBuffer)


@pytest.mark.parametrize('name', [
    name for name in dir(optim) if re.fullmatch('[A-Z].*ParamScheduler', name)
])
def test_schedule_of_a_checkpoint_is_loaded(tmp_path, name):
    kind = getattr(optim, name)
    options = dict(
        param_name='lr', step_size=2, milestones=[2, 4], gamma=0.9, T_max=5,
        eta_max=0.1, total_steps=9, periods=[5], monitor='loss')
    known = signature(kind).parameters
    schedule = kind(
        torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 0.1, 0.9),
        **{option: options[option] for option in options if option in known})
    saved = schedule.state_dict()
    torch.save(saved, tmp_path / 'a.pth')
    assert torch.load(tmp_path / 'a.pth') == saved


TORCHVISION = """
import torch
from . import parts
if not hasattr(torch.ops.torchvision, 'nms'):
    raise RuntimeError('operator torchvision::nms does not exist')
nms = torch.ops.torchvision.nms
"""


@pytest.mark.parametrize('text, error', [
    (TORCHVISION, None),
    ('nms = None', None),
    ('1 / 0', 'ZeroDivisionError'),
    ('raise RuntimeError("of its own")', 'RuntimeError: of its own'),
])
def test_torchvision_is_mended_when_it_is_imported(tmp_path, text, error):
    package = tmp_path / 'torchvision'
    package.mkdir()
    (package / '__init__.py').write_text(text)
    (package / 'parts.py').write_text('')
    # By itself, as in `predict_without_mmgh.py`: it does not import torch.
    compat = str(ROOT / 'mmgh/compat.py')
    code = (f'import runpy, sys; sys.path.insert(0, {str(tmp_path)!r})\n'
            'from importlib.util import find_spec\n'
            f'compat = runpy.run_path({compat!r})\n'
            'compat["declare_torchvision_operators"]()\n'
            'assert find_spec("torchvision")\n'
            'assert "torchvision" not in sys.modules\n'
            'from torchvision import nms; print(nms)')
    result = subprocess.run([sys.executable, '-c', code],
                            capture_output=True, text=True)
    if error is None:
        assert result.returncode == 0, result.stderr
    else:
        assert error in result.stderr


def test_repairs_of_a_package_that_is_imported_again(tmp_path, monkeypatch):
    """As by ``importlib.reload`` in a notebook, before what they mend."""
    monkeypatch.setattr(sys, 'meta_path', list(sys.meta_path))
    (tmp_path / 'mended_later.py').write_text('name = 1')
    monkeypatch.syspath_prepend(tmp_path)
    done: list[int] = []
    for number in range(3):
        after_import('mended_later', partial(done.append, number))
    assert not done and find_spec('module_that_is_not_there') is None
    assert import_module('mended_later').name == 1
    assert sorted(done) == [0, 1, 2]


PLAIN = ('?', *np.typecodes['AllInteger'], *np.typecodes['AllFloat'], 'S3',
         'U3', 'M8[s]', 'm8[s]')


@pytest.mark.parametrize('code', PLAIN)
@pytest.mark.parametrize('read', [
    lambda data: torch.load(io.BytesIO(data)),
    lambda data: as_data_by_default(torch.load)(io.BytesIO(data)),
    lambda data: torch.load(
        io.BytesIO(data), pickle_module=data_pickle, weights_only=False)
])
def test_plain_types_of_numpy_are_loaded(code, read):
    some = np.array([0, 1]).astype(code)
    file = io.BytesIO()
    values = [some, some[:0], some[1], some.reshape(2, 1).T, some.dtype]
    torch.save(values, file)
    found = read(file.getvalue())
    for value, other in zip(values[:-1], found):
        assert isinstance(other, np.ndarray) == isinstance(value, np.ndarray)
        assert other.dtype == value.dtype and other.shape == value.shape
        np.testing.assert_array_equal(other, value)
    assert found[-1] == some.dtype


def test_state_of_random_numbers_of_numpy_is_loaded(tmp_path):
    torch.save(np.random.get_state(), tmp_path / 'a.pth')
    np.random.set_state(torch.load(tmp_path / 'a.pth'))


class Attack:
    """Pickled as a call of something that no checkpoint needs."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('attack', [
    Attack(eval, '1 + 1'),
    Attack(getattr, HistoryBuffer, '__init__'),
    Attack(getattr, dict, 'update'),
    Attack(getattr, optim.OneCycleParamScheduler, '__init__'),
    Attack(np.load, 'file'),
])
def test_other_globals_are_still_refused(tmp_path, attack):
    torch.save(attack, tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'a.pth')


def test_versions_agree_with_the_requirements():
    """What the code asks for is what the requirements install."""
    checked = {}
    for path in ('mmgh/__init__.py', 'mmgh/models/__init__.py'):
        checked.update(re.findall(
            r"check_minimum_version\('(\w+)', '([\d.]+)'\)",
            (ROOT / path).read_text()))
    required = {}
    for name in ('runtime', 'openmmlab'):
        text = (ROOT / 'requirements' / f'{name}.txt').read_text()
        required.update(re.findall(r'^(\w+?)(?:-lite)?>=([\d.]+)', text, re.M))
    assert checked == required and len(checked) == 4


def test_old_or_missing_module_is_named():
    with pytest.raises(RuntimeError, match=r'mmgh needs torch>=99.0.*found'):
        check_minimum_version('torch', '99.0')
    with pytest.raises(RuntimeError, match='mmgh needs nowhere>=1.0'):
        check_minimum_version('nowhere', '1.0')
    check_minimum_version('torch', '2.1')


def test_versions_are_compared_as_numbers():
    assert is_at_least('2.13.0+cpu', '2.9') and is_at_least('2.1.0', '2.1')
    assert not is_at_least('2.9.1', '2.13.0+cpu')
    assert is_at_least('3.0a1', '2.9') and not is_at_least('2.9', '3')


def test_nothing_is_said_that_is_for_others():
    """The import of all of mmpretrain's models says it beside mmcv-lite, and
    MMEngine where two trainings of one second have one name."""
    code = ('import mmgh, mmpretrain.models, warnings\n'
            'from mmengine.logging import MMLogger\n'
            'for _ in range(2): MMLogger.get_instance("a", log_level="INFO")\n'
            'warnings.warn("ours")')
    result = subprocess.run([sys.executable, '-c', code], capture_output=True,
                            text=True, check=True)
    assert 'MultiScaleDeformableAttention' not in result.stderr
    assert 'get_instance' not in result.stderr
    assert 'ours' in result.stderr


def test_log_says_nothing_of_the_insides_of_others(tmp_path):
    """And all else, such as the same from elsewhere."""
    timm = pytest.importorskip('mmpretrain.models.backbones.timm_backbone')
    logger = MMLogger.get_current_instance()

    def say() -> None:
        FileClient.infer_client(None, str(tmp_path))
        timm.print_timm_feature_info(None)
        logger.warning('This backbone does not have feature_info')
        timm.print_timm_feature_info(3)

    assert warnings_of(say) == [
        'This backbone does not have feature_info',
        'Unexpected format of backbone feature_info']


def test_hub_says_nothing_of_accounts(caplog):
    hub = logging.getLogger('huggingface_hub.utils._http')
    hub.warning('You are sending unauthenticated requests to the HF Hub.')
    hub.warning('%d retries', 3)
    assert caplog.messages == ['3 retries']
