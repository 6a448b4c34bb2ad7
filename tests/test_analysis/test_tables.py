"""Tables in Markdown and CSV."""
from __future__ import annotations

import csv

import pytest

from mmgh.analysis.tables import markdown_table, spread, write_csv


def test_columns_are_aligned_in_plain_text():
    lines = markdown_table(('run', '%'), [('dann', '7.0'), ('b', '10.0')])
    assert lines.splitlines() == [
        '| run  | %    |',
        '| ---  | ---: |',
        '| dann | 7.0  |',
        '| b    | 10.0 |',
    ]


def test_bar_in_a_cell_does_not_end_it():
    _, _, row = markdown_table(('a|b', 'c'), [('x|y', '1')]).splitlines()
    assert row == r'| x\|y | 1    |'


@pytest.mark.parametrize('values, text', [
    ([], '-'), ([1.], '1.0'), ([1., 3.], '2.0 ± 1.4')])
def test_spread_needs_several_values(values, text):
    assert spread(values) == text


def test_csv_has_an_empty_cell_for_no_number(tmp_path):
    path = tmp_path / 'new/a.csv'
    write_csv(path, ('a', 'b'), [(float('nan'), 'x,y')])
    with open(path, newline='') as file:
        assert list(csv.reader(file)) == [['a', 'b'], ['', 'x,y']]
