"""tools/benchmarks/step_cost.py: its rows, its memory meter, its rivals."""
from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector
from torch.optim import SGD

from mmgh.optim import GHOptimWrapper
from ..test_optim.two_task_model import make_batch, make_model

BENCHMARKS = Path(__file__).parents[2] / 'tools' / 'benchmarks'
KIB = 1024


@pytest.fixture
def step_cost(monkeypatch):
    """The tool, imported from where it looks for its other file."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import step_cost
    return step_cost


@pytest.fixture
def run(step_cost, monkeypatch, capsys):
    """``run(options)`` runs the tool and returns the rows of its table."""

    def rows_of(options: str) -> list[list[str]]:
        options += ' --image-size 32 --batch-size 2 --rounds 1 --warmup 1'
        monkeypatch.setattr(sys, 'argv', ['step_cost.py', *options.split()])
        step_cost.main()
        return [[cell.strip() for cell in line.split('|')[1:-1]]
                for line in capsys.readouterr().out.splitlines()
                if line.startswith('|')][2:]

    return rows_of


@pytest.mark.filterwarnings('ignore:There is a performance drop')
def test_table_has_a_row_for_each_scheme(step_cost, run, tmp_path):
    pytest.importorskip('torchjd')
    rows = run(f"--model vit-s --out {tmp_path / 'times.csv'}")
    schemes = [
        name for name in step_cost.SCHEMES
        if name not in step_cost.missing_schemes(step_cost.SCHEMES)
    ]
    assert [row[0] for row in rows] == schemes
    ratio, quartiles, _, peak, extra, _, reads = rows[0][1:]
    assert [ratio, quartiles, peak, extra, reads
            ] == ['1.00', '1.00-1.00', '1.000', '0.00', '0']
    extra_gradients = {row[0]: float(row[5]) for row in rows}
    assert 0 < extra_gradients['parameters'] < 1.1
    assert extra_gradients['parameters'] < extra_gradients['torchjd']
    header, values = (tmp_path / 'times.csv').read_text().splitlines()
    assert header == ','.join(['round', *schemes])
    assert min(map(float, values.split(',')[1:])) > 0
    operations = {row[0]: int(row[6]) for row in rows}
    assert operations['features'] < 1.1 * operations['stock']
    assert operations['parameters'] < operations['published']
    host_reads = {row[0]: int(row[7]) for row in rows}
    assert host_reads['parameters'] == host_reads['features'] == 1
    assert host_reads['pcgrad'] == 4  # one for each ordered pair of two tasks


def test_stock_step_is_measured_beside_a_chosen_scheme(run):
    rows = run('--model resnet50 --domain-forward joint --schemes modules')
    assert [row[0] for row in rows] == ['stock', 'modules']


def test_mixed_precision_without_a_gpu_is_refused(run, capsys):
    with pytest.raises(SystemExit):
        run('--amp bf16')
    assert '--amp needs --device cuda' in capsys.readouterr().err


def test_peak_memory_of_known_allocations(step_cost):
    before = torch.empty(5 * KIB, dtype=torch.uint8)

    def step():
        first = torch.empty(100 * KIB, dtype=torch.uint8)
        second = torch.empty(200 * KIB, dtype=torch.uint8)
        del first  # 300 KiB were the most so far
        third = torch.empty(400 * KIB, dtype=torch.uint8)  # and now 600
        del second, third
        torch.empty(300 * KIB, dtype=torch.uint8)

    for _ in range(2):  # what one measurement leaves does not count in another
        assert step_cost.peak_memory(step, [before], 'cpu') == 605 * KIB


def test_peak_memory_of_a_backward_pass(step_cost):
    weight = torch.ones(100 * KIB, requires_grad=True)

    def step():
        weight.exp().sum().backward()  # keeps exp(weight), makes a gradient
        weight.grad = None

    peak = step_cost.peak_memory(step, [weight], 'cpu')
    assert peak == pytest.approx(3 * weight.nbytes, abs=KIB)


@pytest.fixture
def peer(step_cost):
    """``peer(name, model)`` makes the training step of another."""
    from peer_steps import PEERS, SharedModule

    def make(name: str, model: nn.Module):
        return PEERS[name](
            SharedModule(model, 'trunk'),
            SGD(model.parameters(), lr=0.05, momentum=0.9),
            torch.autocast('cpu', enabled=False))

    return make


def test_what_runs_and_is_asked_for_is_counted(step_cost):
    weight = torch.ones(6, requires_grad=True)

    def step():
        loss = (weight.view(2, 3).exp().sum(0)[1:] * 2).sum()  # 4 operations
        loss.backward()  # at least as many again
        weight.grad = None
        if loss > 0:  # a comparison and a read
            loss.item()
        on_host = loss.detach().cpu()  # a read; the rest is there
        on_host.tolist(), float(2 * on_host)

    assert 4 + 4 + 2 <= step_cost.operations(step) <= 16
    assert step_cost.host_reads(step) == 3


def test_published_step_equals_that_of_the_wrapper(step_cost, peer,
                                                   message_hub):
    """A third pass gives what the sum of the first two gives."""
    from training_steps import WrapperStep
    model = make_model(conflict=True)
    published = copy.deepcopy(model)
    wrapper = GHOptimWrapper(
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        apply_to='loss',
        max_weight=float('inf'),
        optimizer=SGD(model.parameters(), lr=0.05, momentum=0.9))
    steps = [WrapperStep(model, wrapper), peer('published', published)]
    before = copy.deepcopy(model.state_dict())
    for step in steps:
        step(make_batch())
    assert message_hub.get_scalar('train/weight_cls').current() > 1.1
    after, expected = model.state_dict(), published.state_dict()
    for name, value in before.items():
        assert not torch.equal(after[name], value)
        torch.testing.assert_close(after[name] - value, expected[name] - value)


@pytest.mark.parametrize('name, projected', [('libmtl', 'trunk'),
                                             ('pcgrad', '')])
def test_pcgrad_projects_each_gradient_on_the_other(name, projected,
                                                    step_cost, peer):
    """On what LibMTL shares, or, as in the usual loop, on everything."""
    from peer_steps import task_losses
    if step_cost.missing_schemes([name]):
        pytest.skip('it is not installed')
    model = make_model(conflict=True)
    part = model.get_submodule(projected)
    parameters = list(part.parameters())
    before = parameters_to_vector(parameters).detach()
    first, second = (
        torch.cat([
            torch.zeros_like(p).flatten() if grad is None else grad.flatten()
            for p, grad in zip(parameters, torch.autograd.grad(
                loss, parameters, retain_graph=True, allow_unused=True))
        ]) for loss in task_losses(model, make_batch()))
    peer(name, model)(make_batch())
    product = first @ second
    assert product < 0
    expected = (1 - product / (first @ first)) * first + (
        1 - product / (second @ second)) * second
    step = (before - parameters_to_vector(parameters).detach()) / 0.05
    torch.testing.assert_close(step, expected, rtol=1e-4, atol=1e-5)
