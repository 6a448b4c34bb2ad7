"""What a user gives is checked where it is given, by one helper."""
from __future__ import annotations

import math
from fractions import Fraction
from inspect import Parameter, signature
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from mmengine.optim.optimizer import amp_optimizer_wrapper
from torch import nn
from torch.optim import SGD

from mmgh.arguments import COUNT, FLAG, NAMES, dict_of, list_of, number, one_of
from mmgh.input_error import InputError
from mmgh.models import layers
from .registered_classes import REGISTERED

inf, nan = math.inf, math.nan

CLASSIFIER = dict(
    backbone=dict(type='mmgh.PassOn'),
    head=dict(type='LinearClsHead', in_channels=6, num_classes=3))
TRANSFORMER = dict(
    type='VisionTransformer',
    arch=dict(
        embed_dims=8, num_layers=9, num_heads=2, feedforward_channels=8),
    img_size=16,
    patch_size=8)
FEATURES = dict(data_root='', domain='source', lazy_init=True)
SPLIT = dict(split='test', lazy_init=True)
WRAPPER = dict(harmonizer=dict(type='mmgh.GH'))


class Pair:
    """All that a sampler asks of a domain pair."""

    source = target = range(3)


def optimizer() -> SGD:
    return SGD(nn.Linear(1, 1).parameters(), lr=0.1)


# What a class needs besides the sizes, as small as it can be.
NEEDS = {
    'DomainPairDataPreprocessor': dict(preprocessor=nn.Identity()),
    'SegDomainPairDataPreprocessor': dict(preprocessor=nn.Identity()),
    'AlternatingMCDClassifier': dict(
        CLASSIFIER, uda_head=dict(type='mmgh.MCDHead')),
    'Constant': dict(weights=dict(cls=1.)),
    'Digits': SPLIT,
    'DigitsM': SPLIT,
    'DomainMetric': dict(domain='source', metric=dict(type='Accuracy')),
    'DomainPairSampler': dict(dataset=Pair),
    'FeatureFolder': FEATURES,
    'TimmFeatures': dict(model_name='resnet18'),
    'GHAmpOptimWrapper': WRAPPER,
    'GHOptimWrapper': WRAPPER,
    'ImageFolder': dict(data_root='.', lazy_init=True),
    'ImageList': dict(ann_file='list.txt', lazy_init=True),
    'LayersOf': dict(
        network=dict(type='ResNet', depth=18), layers=['layer4']),
    'MultiKernelMMD': dict(kernels=[]),
    'SSRTClassifier': dict(
        CLASSIFIER,
        backbone=TRANSFORMER,
        uda_head=dict(type='mmgh.BNMHead')),
    'SVHN': dict(SPLIT, data_root=''),
    'TaskMarked': dict(
        model=dict(CLASSIFIER, type='ImageClassifier'),
        tasks=dict(loss='cls')),
    'TorchJD': dict(name='Sum'),
    'UDAClassifier': dict(CLASSIFIER, uda_head=dict(type='mmgh.BNMHead')),
    'USPS': dict(SPLIT, data_root=''),
}
SIZES = dict(in_channels=6, num_classes=3)
OF_PACKAGES = dict(
    TimmFeatures='timm', TorchJD='torchjd', UDASegmentor='mmseg')
# Of others, who check them or not; and what is no number by its meaning.
EXEMPT = {
    'init_cfg': "MMEngine's",
    'ann_file': "MMEngine's",
    'data_root': "MMEngine's",
    'prefix': "MMEngine's",
    'find_unused_parameters': "torch's, which wants a group of processes",
    'optim_wrapper_cfg': 'a whole config; its own tests',
    'paramwise_cfg': 'refused whatever it is',
}
SCALARS = (inf, -inf, nan, True, 'a string', None)
NUMBERS = (*SCALARS, 1j, [1])
SINGLE = {
    'int': (*NUMBERS, 1.5, 2., -1),
    'float': NUMBERS,
    'bool': ('no', 1, 0., None),
    'dict': ('a string', 5, [1]),
    'str': (5, True, None, ['a']),
}
LISTED = {
    'int': SINGLE['int'],
    'float': NUMBERS,
    'str': SINGLE['str'],
    'Sequence[str': (5, None, 'ab', ['a'], ['a', 'b', 'c'], ['a', 5])
}


class Given(NamedTuple):
    """A parameter of a class, and what it should not get."""

    kind: type
    name: str
    bad: list

    def __repr__(self) -> str:
        """The id of its test."""
        return f'{self.kind.__name__}-{self.name}'


def parameters_of(kind: type) -> dict[str, Parameter]:
    """Those of its constructor that are ours, also of bases."""
    found: dict[str, Parameter] = {}
    for base in kind.__mro__:
        if '__init__' not in vars(base):
            continue
        if not base.__module__.startswith('mmgh.'):
            break
        parameters = signature(base.__init__).parameters
        found = {**parameters, **found}
        if all(p.kind != Parameter.VAR_KEYWORD for p in parameters.values()):
            break
    return found


def bad_values(parameter: Parameter) -> list:
    """Values that its annotation excludes; none for kinds that we do not
    know."""
    kinds = set(str(parameter.annotation).split(' | '))
    # By their text: nan does not equal itself, and True does 1.
    by_kind = [{repr(value): value
                for value in bad_for(kind, parameter.default)}
               for kind in kinds - {'None'}]
    first, *others = by_kind
    return [
        value for text, value in first.items()
        if all(text in other for other in others)
        and not (value is None and 'None' in kinds)
    ]


def bad_for(kind: str, default: Any) -> list:
    """Values that are not of a kind, such as ``Sequence[int]``."""
    name, _, item = kind.rstrip(']').partition('[')
    if name == 'Mapping':
        wrong = SINGLE['str'] if item.endswith('str') else NUMBERS
        return [*SCALARS, 5, *({'cls': value} for value in wrong)]
    if name not in ('Sequence', 'tuple'):
        return list(SINGLE.get(name, ()))
    wrong_items = LISTED.get(item.partition(',')[0])
    if wrong_items is None:
        return []
    others = default[1:] if isinstance(default, tuple) else ()
    return [*SCALARS, 5, [], *([item, *others] for item in wrong_items)]


def find_given() -> list[Given]:
    kinds = [item.load() for item in REGISTERED]
    kinds += [value for value in vars(layers).values()
              if isinstance(value, type) and value not in kinds]
    return [
        Given(kind, name, bad) for kind in kinds
        for name, parameter in parameters_of(kind).items()
        if name not in EXEMPT and (bad := bad_values(parameter))
    ]


GIVEN = find_given()


def build(kind: type, **options) -> Any:
    parameters = parameters_of(kind)
    needed = {name: size for name, size in SIZES.items() if name in parameters}
    if 'optimizer' in parameters or 'OptimWrapper' in kind.__name__:
        needed['optimizer'] = optimizer()
    package = OF_PACKAGES.get(kind.__name__)
    if package:
        pytest.importorskip(package)
    return kind(**{**needed, **NEEDS.get(kind.__name__, {}), **options})


@pytest.fixture(autouse=True)
def _without_a_gpu(monkeypatch):
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available',
                        lambda: True)


@pytest.mark.filterwarnings('ignore:.*GradScaler')
@pytest.mark.parametrize('kind', dict.fromkeys(given.kind for given in GIVEN),
                         ids=lambda kind: kind.__name__)
def test_arguments_that_the_others_are_tried_with_are_good(kind):
    build(kind)


@pytest.mark.filterwarnings('ignore:.*GradScaler')
@pytest.mark.parametrize('given', GIVEN, ids=repr)
def test_what_no_argument_can_be_is_refused_by_its_name(given):
    for value in given.bad:
        if given.name == 'max_weight' and value == inf:
            build(given.kind, max_weight=inf)  # no bound, by its docstring
            continue
        try:
            build(given.kind, **{given.name: value})
        except (TypeError, ValueError) as error:
            message = str(error)
            assert message.startswith(f'`{given.name}` should be '), message
            assert message.endswith(f', but got {value!r}.'), message
        else:
            pytest.fail(
                f'{given.kind.__name__}({given.name}={value!r}) is accepted: '
                'check it by a rule of mmgh/arguments.py.')


def test_parameters_are_found():
    names = set(map(repr, GIVEN))
    assert {
        'AFNHead-delta', 'CDANHead-loss_weight', 'GaussianKernel-alphas',
        'GHOptimWrapper-interval', 'SSRTClassifier-perturbed_layers',
        'Constant-weights', 'DomainPairSampler-seed', 'LoadFeatures-view',
        'InverseDecayLR-gamma', 'SafeTrainingHook-tolerance'
    } <= names
    ours = {given.name for given in GIVEN}
    assert not ours & set(EXEMPT)


@pytest.mark.parametrize('value', [
    1, 3.5, np.float32(2), np.int64(3), Fraction(1, 2), 1e300])
def test_numbers_of_all_types_are_numbers(value):
    number(above=0).check(x=value)


@pytest.mark.parametrize('value', [
    10**400, np.float32('inf'), np.float64('nan'), np.bool_(True),
    torch.ones(()), b'1'])
def test_what_looks_like_a_number_is_none(value):
    with pytest.raises((TypeError, InputError), match='`x` should be'):
        number(above=0).check(x=value)


@pytest.mark.parametrize('rule, good, bad', [
    (number(at_least=1), (1, 2.5), (0.99, -inf)),
    (number(above=1), (1.01, ), (1, )),
    (number(at_least=0, at_most=1), (0, 0.5, 1), (-0.1, 1.1)),
    (number(at_least=0, below=1), (0, 0.9), (-0.1, 1)),
    (number(above=0, below=1), (0.1, 0.9), (0, 1)),
    (number(), (-3, 0), (inf, -inf, nan)),
    (number(at_least=1, or_infinite=True), (1, inf), (0, nan, -inf)),
    (number(or_infinite=True), (inf, ), (-inf, nan)),
    (COUNT, (1, 10**6, np.int64(2)), (0, -1)),
    (one_of(None, 'a'), (None, 'a'), ('b', [], 0)),
    (NAMES, (['a'], ('a', 'b')), ([], [''])),
    (list_of(COUNT, length=2), ([1, 2], ), ([1], [1, 2, 3], [1, 0])),
    (list_of(list_of(COUNT)), ([[1], [2, 3]], ), ([[]], [[0]])),
    (dict_of(COUNT), ({}, dict(a=1)), (dict(a=0), )),
])
def test_values_out_of_bounds_are_input_errors(rule, good, bad):
    for value in good:
        rule.check(x=value)
    for value in bad:
        with pytest.raises(InputError, match='`x` should be') as caught:
            rule.check(x=value)
        assert caught.value.argument == 'x'


@pytest.mark.parametrize('rule, bad', [
    (COUNT, (1., '1', None, True, np.bool_(True), inf)),
    (number(), ('1', None, False, 1j)),
    (FLAG, (1, 'True', None)),
    (NAMES, ('abc', b'abc', 5, None, {'a'}, ['a', 1])),
    (dict_of(COUNT), ([1], None, dict(a='1'))),
])
def test_other_types_are_type_errors(rule, bad):
    for value in bad:
        with pytest.raises(TypeError, match='`x` should be'):
            rule.check(x=value)


@pytest.mark.parametrize('rule, text', [
    (number(), 'a finite number'),
    (number(at_least=0), 'a finite number of at least 0'),
    (number(above=0).or_none(), 'a finite number above 0, or None'),
    (number(at_least=0, below=1), 'a number in [0, 1)'),
    (number(above=0, at_most=2, since='so it is'),
     'a number in (0, 2], since so it is'),
    (number(at_least=1, or_infinite=True), 'a number of at least 1'),
    (COUNT, 'a whole number of at least 1'),
    (one_of('a'), "'a'"),
    (one_of(None, 'a', 'b'), "None, 'a' or 'b'"),
    (list_of(COUNT, 2), 'a list of 2 items, each a whole number of at least '
     '1'),
])
def test_rules_are_told_in_words(rule, text):
    assert rule.text == text


def test_all_are_checked_and_the_wrong_one_is_named():
    COUNT.check(first=1, second=2)
    with pytest.raises(InputError, match='`second` .* but got 0') as caught:
        COUNT.check(first=1, second=0, third=3)
    assert caught.value.argument == 'second'


def test_none_is_for_what_may_be_left_out():
    COUNT.or_none().check(x=None, y=1)
    with pytest.raises(TypeError, match='`x` .* at least 1, but got None'):
        COUNT.check(x=None)
    with pytest.raises(TypeError, match="or None, but got 'a'"):
        COUNT.or_none().check(x='a')
