"""tools/benchmarks/opposed_steps.py: its shares are those of the maths."""
from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch
from scipy.integrate import quad

BENCHMARKS = Path(__file__).parents[2] / 'tools' / 'benchmarks'
ANGLES, RATIO = (90., 130.), 10.


@pytest.fixture
def tool(monkeypatch):
    """The tool, imported from where it is."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import opposed_steps
    return opposed_steps


@pytest.fixture
def gramians(tool):
    torch.manual_seed(0)
    return tool.random_gramians(1500, ANGLES, RATIO)


def test_plain_sum_opposes_the_shorter_gradient_where_it_has_to(
        tool, gramians):
    """It does where the shorter one is below the longer one's component along
    it, whose share of the pairs is an integral."""
    low, high = map(math.radians, ANGLES)
    expected, _ = quad(
        lambda t: max(0., 1 + math.log(-math.cos(t), RATIO)), low + 1e-9, high)
    found = tool.share(*tool.FORMS['plain sum'], gramians)
    assert found.opposed == pytest.approx(expected / (high - low), abs=0.04)
    assert found.change == 0


def test_only_some_forms_never_oppose_a_task(tool, gramians):
    shares = {
        name: tool.share(*form, gramians)
        for name, form in tool.FORMS.items()
    }
    never = {name for name, found in shares.items() if found.opposed == 0}
    assert never == {
        'GH, `max_weight=inf`', 'nearest to the plain sum that opposes none'
    }
    nearest, published = shares.popitem()[1], list(shares.values())[-1]
    assert 0 < nearest.change < shares['GH, `max_weight=inf`'].change
    assert 0.4 < published.opposed < 0.5
    assert 0.2 < shares['GH'].opposed < shares['GH++'].opposed < 0.3


def test_gh_without_a_bound_is_upgrad_and_the_nearest_is_dual_proj(
        tool, gramians):
    pytest.importorskip('torchjd')
    from mmgh.harmonizers import GH, TorchJD
    for name, form in dict(UPGrad=GH(), DualProj=tool.nearest).items():
        method = TorchJD(name)
        for gramian in gramians[:200]:
            torch.testing.assert_close(
                method(gramian), form(gramian), rtol=0.02, atol=0.02)


def test_table_has_a_row_for_each_form(tool, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['opposed_steps.py', '--pairs', '2'])
    tool.main()
    rows = [
        line for line in capsys.readouterr().out.splitlines()
        if line.startswith('|')
    ]
    assert len(rows) >= 2 + len(tool.FORMS)


@pytest.mark.parametrize('options', ['--ratio 0.5', '--angles 80 100'])
def test_bad_options_are_refused(options, tool, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['opposed_steps.py', *options.split()])
    with pytest.raises(SystemExit):
        tool.main()
    assert 'should be' in capsys.readouterr().err
