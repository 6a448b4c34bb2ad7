"""tools/benchmarks/step_growth.py and rank_messages.py: how a step grows."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / 'tools' / 'benchmarks'


@pytest.fixture
def tool(monkeypatch):
    """``tool(name)`` imports it from where it looks for its other files."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return __import__


@pytest.fixture
def growth(tool):
    return tool('step_growth')


def counted(growth, scheme: str, counts: int = 1, **network) -> int:
    step = growth.step_on(scheme, counts, **network)
    step()
    return growth.operations(step)


@pytest.mark.parametrize('probe', ['parameters', 'modules', 'features'])
def test_operations_are_linear_in_the_tasks(growth, probe):
    """Though each two of them are compared."""
    three, five, seven = (
        counted(growth, probe, num_layers=5, num_tasks=num_tasks)
        for num_tasks in (3, 5, 7))
    assert seven - five == five - three > 0


@pytest.mark.parametrize('num_tasks', [2, 8])
def test_small_layers_are_combined_by_few_operations(growth, num_tasks):
    """More layers cost their passes, and no operation to combine them."""

    def operations(scheme, num_layers):
        return counted(
            growth, scheme, num_layers=num_layers, num_tasks=num_tasks)

    per_layer = {
        scheme: operations(scheme, 20) - operations(scheme, 10)
        for scheme in ('stock', 'parameters')
    }
    # Of a backward pass through a linear layer and tanh: two products, the
    # gradient of the bias and that of tanh.
    passes = 10 * 4 * (num_tasks - 1)
    assert per_layer['parameters'] == per_layer['stock'] + passes


@pytest.mark.parametrize('probe', ['parameters', 'modules', 'features'])
def test_host_asks_once_a_step(growth, probe):
    step = growth.step_on(probe, num_layers=3, num_tasks=4)
    step()
    assert growth.host_reads(step) == 1


def test_table_has_a_row_for_each_scheme(growth, monkeypatch, capsys):
    for title, network in dict(growth.NETWORKS).items():
        monkeypatch.setitem(growth.NETWORKS, title,
                            dict(network, num_layers=2))
    # The two processes of the last column are measured below.
    monkeypatch.setattr(growth, 'measure', lambda make, last_stage: {})
    monkeypatch.setattr(sys, 'argv', ['step_growth.py', '--rounds', '1'])
    growth.main()
    rows = [
        line.split(' | ') for line in capsys.readouterr().out.splitlines()
        if line.startswith('|')
    ]
    missing = growth.missing_schemes(growth.SCHEMES)
    assert [row[0].strip('| ') for row in rows[2:]] == [
        name for name in growth.SCHEMES if name not in missing
    ]
    assert len({len(row) for row in rows if '---' not in row[0]}) == 1


def test_what_ranks_send(growth, tool, tmp_path):
    """The shared layers once a task, the heads once; half of it in bfloat16;
    and with ``'features'`` a Gramian beside what the stock step sends."""
    messages = tool('rank_messages')
    sent = messages.measure(growth.make_for_ranks,
                            growth.SmallLayers.last_stage, tmp_path)
    model, _ = growth.make_for_ranks()
    shared, whole = (
        sum(p.nbytes for p in module.parameters())
        for module in (model.backbone, model))
    stock = sent['stock'].num_bytes
    assert stock == whole
    # Two numbers a step say whether the tasks, and what they reach, are
    # others.
    assert sent['parameters'][:2] == (3, whole + shared + 16)
    if 'parameters, bfloat16' in sent:
        assert sent['parameters, bfloat16'][:2] == (3,
                                                    (whole + shared) // 2 + 16)
    assert sent['features'].num_bytes == whole + 4 * 4
    assert all(0 <= row.hidden <= 1 for row in sent.values())
    assert json.loads((tmp_path / 'stock.json').read_text())['traceEvents']


def test_what_is_hidden_is_the_time_of_both(tool):
    messages = tool('rank_messages')
    travelling = messages.union([(0, 2), (1, 4), (6, 8)])
    working = messages.union([(1, 3), (3, 3.5), (7, 20)])
    assert travelling == [(0, 4), (6, 8)]
    both = messages.length(messages.intersection(travelling, working))
    assert both == pytest.approx(2 + 0.5 + 1)
