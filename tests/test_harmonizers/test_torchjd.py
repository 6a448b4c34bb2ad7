"""The methods of torchjd, as harmonizers."""
from __future__ import annotations

import sys

import pytest
import torch
from torch import Tensor

from mmgh.harmonizers import GH, TorchJD
from mmgh.registry import TASK_UTILS
from ..processes import on_two_ranks
from .gradient_pairs import gramian_of, random_gramians

# Of the solver of NashMTL, at its limits and beyond.
pytestmark = [
    pytest.mark.filterwarnings('ignore::UserWarning:torchjd'),
    pytest.mark.filterwarnings('ignore::RuntimeWarning:cvxpy'),
]
METHODS = {
    'AlignedMTL': {},
    'CAGrad': dict(c=0.5),
    'ConFIG': {},
    'Constant': dict(weights=[0.5, 2]),
    'DualProj': {},
    'FairGrad': dict(alpha=1.),
    'GradVac': {},
    'IMTLG': {},
    'Krum': dict(n_byzantine=0),
    'MGDA': {},
    'Mean': {},
    'NashMTL': dict(n_tasks=2),
    'PCD': {},
    'PCGrad': {},
    'Random': {},
    'Sum': {},
    'UPGrad': {},
}
CASES = [(name, num_tasks) for name in METHODS for num_tasks in (2, 3)
         if (name, num_tasks) != ('Krum', 2)]  # needs three tasks
SOLVERS = dict(
    CAGrad='cvxpy',
    DualProj='quadprog',
    FairGrad='scipy',
    NashMTL='ecos',
    UPGrad='quadprog')
DTYPES = [torch.float32, torch.float64]


@pytest.fixture
def torchjd():
    return pytest.importorskip('torchjd.aggregation')


def arguments_of(torchjd, name: str, num_tasks: int) -> dict:
    """For a method and as many tasks; skip what is not installed."""
    if not hasattr(torchjd, name):
        pytest.skip(f'this torchjd has no {name}')
    if name in SOLVERS:
        pytest.importorskip(SOLVERS[name])
    arguments = dict(METHODS[name])
    if name == 'NashMTL':
        arguments['n_tasks'] = num_tasks
    if name == 'Constant':
        arguments['weights'] = [0.5, 2, 1][:num_tasks]
    return arguments


def random_gradients(num_tasks: int, dim: int = 6) -> Tensor:
    """In conflict; the mean of their squared norms is 1."""
    gradients = torch.randn(num_tasks, dim, dtype=torch.float64)
    gradients[0] -= 0.7 * gradients[1:].sum(0)
    return gradients / gramian_of(gradients).diagonal().mean().sqrt()


def as_tensors(arguments: dict) -> dict:
    return {
        key: torch.tensor(value, dtype=torch.float64) if isinstance(
            value, list) else value
        for key, value in arguments.items()
    }


@pytest.mark.parametrize('name, num_tasks', CASES)
def test_weighted_gradient_is_that_of_torchjd(torchjd, name, num_tasks):
    arguments = arguments_of(torchjd, name, num_tasks)
    harmonizer = TorchJD(name, scale=1, **arguments)
    aggregator = getattr(torchjd, name)(**as_tensors(arguments))
    for seed in range(20):  # of one instance each: some have a memory
        gradients = random_gradients(num_tasks)
        torch.manual_seed(seed)
        weights = harmonizer(gramian_of(gradients))
        torch.manual_seed(seed)
        torch.testing.assert_close(
            weights @ gradients, aggregator(gradients), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('name, arguments', [
    ('AlignedMTL', {}),
    ('CAGrad', dict(c=0.3)),
    ('IMTLG', {}),
    ('MGDA', {}),
    ('NashMTL', dict(n_tasks=2, max_norm=0)),
    ('PCGrad', {}),
    ('UPGrad', dict(pref_vector=[1, 3])),
])
@pytest.mark.parametrize('norm', [0.1, 10])
def test_weighted_gradient_of_any_norm_is_parallel_to_that_of_torchjd(
        torchjd, name, arguments, norm):
    """By default, and where torchjd's method is free of scale itself."""
    arguments_of(torchjd, name, 2)
    gradients = norm * random_gradients(2)
    ours = TorchJD(name, **arguments)(gramian_of(gradients)) @ gradients
    theirs = getattr(torchjd, name)(**as_tensors(arguments))(gradients)
    if name == 'NashMTL':
        theirs *= norm  # it gives each step one length, ours a relative one
    factor = TorchJD(name, **arguments)._default_scale(2)
    torch.testing.assert_close(
        ours, factor * theirs, rtol=1e-4, atol=1e-4 * norm)


@pytest.mark.parametrize('name, num_tasks', CASES)
def test_mean_weight_of_orthogonal_gradients_is_one(torchjd, name, num_tasks):
    harmonizer = TorchJD(name, **arguments_of(torchjd, name, num_tasks))
    weights = harmonizer(3 * torch.eye(num_tasks))
    assert weights.mean().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize('name, num_tasks', CASES)
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('scale', [1e-10, 1e10])
def test_scale_of_the_losses_does_not_matter(torchjd, name, num_tasks, scale,
                                             dtype):
    arguments = arguments_of(torchjd, name, num_tasks)
    gramian = gramian_of(random_gradients(num_tasks)).to(dtype)
    weights = []
    for factor in (1, scale):
        torch.manual_seed(1)
        weights.append(TorchJD(name, **arguments)(factor * gramian))
    assert weights[0].dtype == dtype
    torch.testing.assert_close(*weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize('name', [name for name in METHODS if name != 'Krum'])
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('gramian', [
    [[0, 0], [0, 0]],
    [[0, 0], [0, 2]],
    [[2, 0], [0, 0]],
    [[0, -1e-30], [-1e-30, 1]],
    [[float('nan'), -1], [-1, 2]],
    [[1, float('nan')], [float('nan'), 2]],
    [[1, -1], [-1, float('inf')]],
])
def test_weights_are_one_where_no_angle_is_defined(torchjd, name, gramian,
                                                   dtype):
    harmonizer = TorchJD(name, **arguments_of(torchjd, name, 2))
    weights = harmonizer(torch.tensor(gramian, dtype=dtype))
    assert weights.tolist() == [1, 1]
    assert weights.dtype == dtype


@pytest.mark.parametrize('name', [name for name in METHODS if name != 'Krum'])
@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('cosine', [-1 - 1e-6, -1, 1, 1 + 1e-6])
@pytest.mark.parametrize('norm', [1e-4, 1, 1e4])
def test_finite_for_dependent_gradients(torchjd, name, cosine, norm, dtype):
    """Rounding may push the cosine out of its range."""
    gramian = [[1, norm * cosine], [norm * cosine, norm * norm]]
    harmonizer = TorchJD(name, **arguments_of(torchjd, name, 2))
    assert harmonizer(torch.tensor(gramian, dtype=dtype)).isfinite().all()


def test_a_weight_beyond_the_type_of_the_gramian_does_not_leave(torchjd):
    gramian = torch.tensor([[1e-7, -1], [-1, 1e4]], dtype=torch.float16)
    assert TorchJD('PCGrad')(gramian).tolist() == [1, 1]


def test_pcgrad_of_two_tasks_is_gh(torchjd):
    harmonizer = TorchJD('PCGrad')
    for gramian in random_gramians(1000):
        torch.testing.assert_close(harmonizer(gramian), GH()(gramian))


@pytest.mark.parametrize('as_tensor', [False, True])
def test_list_is_an_argument_of_tensor_type(torchjd, as_tensor):
    weights = [1, 3]
    config = dict(
        type='mmgh.TorchJD',
        name='AlignedMTL',
        pref_vector=torch.tensor(weights) if as_tensor else weights)
    harmonizer = TASK_UTILS.build(config)
    torch.testing.assert_close(
        harmonizer(torch.eye(2)), torch.tensor([0.5, 1.5]))
    assert config['pref_vector'] is not None and config['name'] == 'AlignedMTL'


def test_neither_memory_nor_random_numbers_notice_the_default_scale(torchjd):
    name = 'PCD' if hasattr(torchjd, 'PCD') else 'GradVac'
    gramians = [gramian_of(random_gradients(2)) for _ in range(5)]
    default, scaled = TorchJD(name), TorchJD(name, scale=3)
    for gramian in gramians:
        weights = scaled(gramian) * default._default_scale(2) / 3
        torch.testing.assert_close(default(gramian), weights)
    state = torch.get_rng_state()
    TorchJD('GradVac')._default_scale(3)
    assert torch.equal(torch.get_rng_state(), state)


def test_no_gradient_flows_through_the_weights(torchjd):
    gradients = random_gradients(2).requires_grad_()
    assert not TorchJD('MGDA')(gramian_of(gradients)).requires_grad


@pytest.mark.parametrize('shape', [(2, 3), (1, 1), (2, ), (2, 2, 2)])
def test_wrong_shape_is_refused(torchjd, shape):
    with pytest.raises(ValueError, match=r'`gramian`.*\(K, K\)'):
        TorchJD('Sum')(torch.ones(shape))


@pytest.mark.parametrize('name', [
    'ExcessMTL', 'GradDrop', 'TrimmedMean', 'MoDoWeighting', 'UPGradWeighting',
    'GramianWeightedAggregator', 'GradientHarmonization'
])
def test_name_of_no_possible_method_is_refused(torchjd, name):
    with pytest.raises(ValueError, match=f"`name`.*'UPGrad'.*got '{name}'"):
        TASK_UTILS.build(dict(type='mmgh.TorchJD', name=name))


@pytest.mark.parametrize('arguments, message', [
    (dict(name='MGDA', epsilom=1), "'epsilom'"),
    (dict(name='Krum'), "'n_byzantine'"),
])
def test_wrong_arguments_are_named(torchjd, arguments, message):
    with pytest.raises(TypeError, match=message):
        TASK_UTILS.build(dict(type='mmgh.TorchJD', **arguments))


@pytest.mark.parametrize('scale', [0, -1])
def test_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(ValueError, match='`scale`.*above 0'):
        TorchJD('Sum', scale=scale)


@pytest.mark.parametrize('arguments, message', [
    (dict(name='CAGrad', c=float('inf')), '`c` should be a finite.* got inf'),
    (dict(name='CAGrad', c=float('nan')), '`c` should be a finite.* got nan'),
    (dict(name='Constant', weights=[1., float('inf')]), '`weights` .*inf'),
    (dict(name='Constant', weights=['a', 'b']), r"`weights` .*\['a', 'b'\]"),
    (dict(name=['UPGrad']), r"`name` should be a name, .*\['UPGrad'\]"),
])
def test_arguments_without_an_answer_are_refused(torchjd, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TorchJD(**arguments)


def test_weights_without_a_default_scale_are_refused(torchjd):
    harmonizer = TorchJD('Constant', weights=[1, -1])
    with pytest.raises(ValueError, match='`scale` should be given.*Constant'):
        harmonizer(torch.eye(2))


@pytest.mark.parametrize('missing, hint', [
    ('torchjd', '`pip install torchjd`'),
    ('cvxpy', r'torchjd\[cagrad\]'),
])
def test_missing_package_is_named(request, monkeypatch, missing, hint):
    """Not by an ImportError: MMEngine's registry would swallow it."""
    if missing != 'torchjd':
        request.getfixturevalue('torchjd')
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(RuntimeError, match=f'CAGrad needs torchjd.*{hint}'):
        TASK_UTILS.build(dict(type='mmgh.TorchJD', name='CAGrad', c=0.5))


def random_weights(rank: int) -> Tensor:
    torch.manual_seed(rank)
    return TorchJD('Random')(torch.eye(2))


def test_ranks_agree_on_random_weights(torchjd):
    assert torch.equal(*on_two_ranks(random_weights))
