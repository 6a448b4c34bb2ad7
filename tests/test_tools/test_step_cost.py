"""tools/benchmarks/step_cost.py: its rows, its memory meter, its rivals."""
from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
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
    assert [row[0] for row in rows] == list(step_cost.SCHEMES)
    ratio, quartiles, _, peak, extra = rows[0][1:]
    assert [ratio, quartiles, peak, extra
            ] == ['1.00', '1.00-1.00', '1.000', '0.00']
    extra_gradients = {row[0]: float(row[-1]) for row in rows}
    assert 0 < extra_gradients['parameters'] < 1.1
    assert extra_gradients['parameters'] < extra_gradients['torchjd']
    header, values = (tmp_path / 'times.csv').read_text().splitlines()
    assert header == ','.join(['round', *step_cost.SCHEMES])
    assert min(map(float, values.split(',')[1:])) > 0


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


def test_published_step_equals_that_of_the_wrapper(step_cost, message_hub):
    """A third pass gives what the sum of the first two gives."""
    from training_steps import PublishedStep, WrapperStep
    model = make_model(conflict=True)
    published = copy.deepcopy(model)
    wrapper = GHOptimWrapper(
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        apply_to='loss',
        max_weight=float('inf'),
        optimizer=SGD(model.parameters(), lr=0.05, momentum=0.9))
    steps = [
        WrapperStep(model, wrapper),
        PublishedStep(published, published.trunk.parameters(),
                      SGD(published.parameters(), lr=0.05, momentum=0.9),
                      torch.autocast('cpu', enabled=False))
    ]
    before = copy.deepcopy(model.state_dict())
    for step in steps:
        step(make_batch())
    assert message_hub.get_scalar('train/weight_cls').current() > 1.1
    after, expected = model.state_dict(), published.state_dict()
    for name, value in before.items():
        assert not torch.equal(after[name], value)
        torch.testing.assert_close(after[name] - value, expected[name] - value)
