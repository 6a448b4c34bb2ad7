"""What is refused before it is saved is what could not be read after."""
from __future__ import annotations

import datetime
import enum
import io
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import PurePosixPath

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from torch import nn

from mmgh.checkpoints import read_checkpoint
from mmgh.input_error import InputError
from mmgh.plain_data import check_plain_data, with_plain_dicts


class Color(enum.Enum):
    RED = 1


class OwnTensor(torch.Tensor):
    """As torchvision has some."""


LINEAR = nn.Linear(2, 3)
VALUES = [
    None, True, 10**30, float('inf'), 1j, 'a', b'', bytearray(b'a'),
    [1, (2, )], {1, 2}, OrderedDict(a=1), Counter('aab'),
    torch.Size([1]), torch.float16, torch.device('cpu'), torch.ones(2),
    torch.ones(2).to_sparse(), LINEAR.weight, LINEAR.state_dict(),
    torch.optim.Adam(LINEAR.parameters()).state_dict(),
    HistoryBuffer([1.], [1]), np.float32(1), np.bool_(True), np.str_('a'),
    np.zeros(2, 'uint8'), np.zeros(0), np.array(['a']), np.random.get_state(),
    deque([1]), deque([torch.ones(2)]), defaultdict(list), frozenset({1}),
    PurePosixPath('x'), datetime.date(2020, 1, 1), Color.RED, slice(1),
    range(2), np.float32, np.random.default_rng(0), np.array([None]),
    np.zeros(2, 'i4,f4'), torch.Generator(), len, lambda: 1, io.StringIO(),
    LINEAR, torch.ones(2).as_subclass(OwnTensor)
]


def is_refused(checkpoint: dict) -> bool:
    try:
        check_plain_data(checkpoint)
    except InputError:
        return True
    return False


@pytest.mark.parametrize('value', VALUES,
                         ids=lambda value: type(value).__name__)
def test_refused_is_what_a_file_could_not_give_back(tmp_path, value):
    checkpoint = dict(meta=dict(iter=1), mine=[value])
    try:
        torch.save(checkpoint, tmp_path / 'a.pth')
        read_checkpoint(tmp_path / 'a.pth')
    except Exception:
        assert is_refused(checkpoint)
    else:
        assert not is_refused(checkpoint)


@pytest.mark.parametrize('checkpoint, told', [
    (dict(hub=dict(info=dict(a=1, mine=deque()))),
     '`hub.info.mine` is a `collections.deque`'),
    (dict(a=[1, dict(b=(2, PurePosixPath()))]),
     '`a.1.b.1` is a `pathlib.*PurePosixPath`'),
    (dict(a=defaultdict(int, b=1)), '`a` is a `collections.defaultdict`'),
    (dict(a=defaultdict(int, b=slice(1))), '`a.b` is a `slice`'),
    (dict(a={Color.RED: 1}), '`a.Color.RED` is a .*Color`'),
    (defaultdict(int), 'it is a `collections.defaultdict`'),
])
def test_place_and_type_are_told(checkpoint, told):
    with pytest.raises(InputError, match=told):
        check_plain_data(checkpoint)


def test_parts_within_each_other():
    ring = dict(a=[slice(1)])
    ring['a'].insert(0, ring)
    with pytest.raises(InputError, match='`a.1` is a `slice`'):
        check_plain_data(ring)


def test_weights_are_not_copied():
    """Not even once: they may fill the memory."""
    weights = dict(a=torch.empty(2**40, device='meta'), b=nn.Parameter(
        torch.empty(2**40, device='meta')))
    check_plain_data(dict(state_dict=weights))
    large = np.lib.stride_tricks.as_strided(np.zeros(1), (2**40, ), (0, ))
    check_plain_data(dict(mine=large))


def test_dicts_of_a_config_become_plain_ones():
    found = with_plain_dicts(ConfigDict(
        a=dict(b=[dict(c=1), (dict(d=2), 'e')]), f=np.zeros(1)))
    assert type(found) is dict and type(found['a']['b'][1][0]) is dict
    assert found['a'] == dict(b=[dict(c=1), (dict(d=2), 'e')])
    check_plain_data(found)
