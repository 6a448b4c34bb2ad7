"""What the drawings show, read back from matplotlib."""
from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from mmgh.analysis.conflict import PairHistory, iterations_of
from mmgh.analysis.per_class import ClassAccuracies
from mmgh.analysis.plots import subplots
from mmgh.analysis.plots.bars import (draw_a_distances, draw_class_accuracies,
                                      per_class_figure)
from mmgh.analysis.plots.comparison import comparison_figure
from mmgh.analysis.plots.conflict import (conflict_figure,
                                          draw_angle_histogram, draw_angles,
                                          draw_conflict_rates, draw_weights)
from mmgh.analysis.plots.embedding import (class_handles, draw_classes,
                                           draw_domains, tsne_figure)
from mmgh.analysis.plots.palette import UNKNOWN
from mmgh.analysis.plots.rank_correlation import rank_figure
from mmgh.analysis.plots.robustness import Curve, robustness_figure
from mmgh.analysis.tsne import Embedding


@pytest.fixture
def axes():
    return subplots()[1]


@pytest.fixture
def pair():
    """100 comparisons in 200 iterations; conflict in the second half."""
    angles = np.repeat([60., 120.], 50)
    return PairHistory(
        ('cls', 'alignment'), iterations_of(100, 200), (angles > 90) * 1.,
        angles, dict(cls=np.ones(100), alignment=np.full(100, 2.)), 200,
        {})


def domain(labels, count=4) -> Embedding:
    points = np.arange(2. * count).reshape(count, 2)
    return Embedding(points, labels, list(range(count)))


def test_histogram_is_of_shares(axes, pair):
    draw_angle_histogram(axes, {'a': [pair]})
    values, edges, _ = axes.patches[0].get_data()
    assert values.sum() == 100
    assert values[edges[:-1] == 60] == values[edges[:-1] == 120] == 50


def test_angles_end_with_the_training(axes, pair):
    draw_angles(axes, {'a': [pair]})
    iterations, angles = axes.lines[0].get_data()
    assert (iterations[0], iterations[-1]) == (20, 200)
    assert (angles[0], angles[-1]) == pytest.approx((60, 120))


def test_conflict_rate_stands_in_the_middle_of_a_phase(axes, pair):
    draw_conflict_rates(axes, {'a': [pair]}, phases=2)
    iterations, rates = axes.lines[0].get_data()
    assert list(iterations) == [50, 150]
    assert list(rates) == [0, 100]


def test_tasks_differ_by_line_and_runs_by_colour(axes, pair):
    draw_weights(axes, {'a': [pair], 'b': [pair]})
    lines = axes.lines[:4]
    assert [line.get_ydata()[0] for line in lines
            ] == pytest.approx([1, 2, 1, 2])
    styles = [line.get_linestyle() for line in lines]
    colours = [line.get_color() for line in lines]
    assert styles[0] == styles[2] != styles[1] == styles[3]
    assert colours[0] == colours[1] != colours[2] == colours[3]


def test_every_panel_of_conflict_says_what_is_measured(pair):
    figure = conflict_figure({'a': [pair]}, phases=10)
    assert len(figure.axes) == 4
    assert all(each.get_xlabel() and each.get_ylabel()
               for each in figure.axes)


def test_domains_differ_by_colour_and_marker(axes):
    draw_domains(axes, dict(source=domain(None), target=domain(None)))
    source, target = axes.collections
    assert not np.array_equal(source.get_facecolor(), target.get_facecolor())
    assert len(source.get_paths()[0]) != len(target.get_paths()[0])
    assert list(axes.get_xticks()) == list(axes.get_yticks()) == []


def test_target_is_hollow(axes):
    labels = np.array([0, 0, 1, 1])
    draw_classes(axes, dict(source=domain(labels), target=domain(labels)))
    *source, first, second = axes.collections
    assert all(len(points.get_facecolor()) for points in source)
    assert not len(first.get_facecolor()) + len(second.get_facecolor())
    assert np.array_equal(first.get_edgecolor(), source[0].get_edgecolor())


def test_target_without_labels_is_grey_and_the_legend_says_so(axes):
    domains = dict(source=domain(np.zeros(4, int)), target=domain(None))
    draw_classes(axes, domains)
    assert to_hex(axes.collections[-1].get_edgecolor()[0]) == UNKNOWN
    labels = [handle.get_label() for handle in class_handles(domains, ['a'])]
    assert labels == ['source (filled)', 'target: no labels', 'a']


def test_legend_has_no_more_classes_than_looks():
    domains = dict(source=domain(None), target=domain(None))
    handles = class_handles(domains, [str(i) for i in range(345)])
    assert handles[-1].get_label() == '345 classes: see the CSV'


def test_bar_is_the_mean_of_the_runs(axes):
    draw_a_distances(axes, dict(dann=[1., 2.], cdan=[0.5]))
    assert [bar.get_width() for bar in axes.patches] == [1.5, 0.5]
    assert list(axes.lines[-2].get_xdata()) == [1, 2]


def test_classes_without_images_have_no_bar(axes):
    runs = [ClassAccuracies('a', np.array([50, np.nan, 20.]), 30),
            ClassAccuracies('b', np.array([60, np.nan, 70.]), 65)]
    draw_class_accuracies(axes, runs, ['x', 'y', 'z'], np.array([2, 0, 10]))
    assert [bar.get_width() for bar in axes.patches] == [20, 50, 70, 60]
    ticks = [label.get_text() for label in axes.get_yticklabels()]
    assert ticks == ['z (10)', 'x (2)']
    assert [text.get_text() for text in axes.texts] == ['+50.0', '+10.0']
    assert 'oracle' in axes.get_title() and 'minus' in axes.get_title()


def test_one_run_has_no_differences(axes):
    runs = [ClassAccuracies('a', np.array([50., 70.]), 60)]
    draw_class_accuracies(axes, runs, ['x', 'y'], np.array([5, 5]))
    assert [bar.get_width() for bar in axes.patches] == [70, 50]
    assert not axes.texts and 'minus' not in axes.get_title()


def test_bars_have_the_colours_of_the_runs(axes):
    runs = [ClassAccuracies(name, np.array([50.]), 50) for name in 'ab']
    draw_class_accuracies(axes, runs, ['x'], np.array([9]), ['red', 'green'])
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches
            ] == [to_hex('red'), to_hex('green')]


def test_robustness_has_a_panel_a_method_and_a_line_a_harmonizer():
    curve = Curve([0.3, 1, 10], [50., 60., 40.], [45., 55., 30.],
                  [55., 65., 50.])
    figure = robustness_figure({'A': dict(none=curve, GH=curve),
                                'B': dict(GH=curve)})
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ('A', 'B')
    lines = {line.get_label(): line for line in left.lines}
    strengths, accuracies = lines['GH'].get_data()
    assert list(strengths) == [0.3, 1, 10] and left.get_xscale() == 'log'
    assert list(accuracies) == [50, 60, 40]
    band = left.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 30 and band[:, 1].max() == 65
    # One colour for a harmonizer in all panels.
    assert to_hex(right.lines[-1].get_color()) == to_hex(
        lines['GH'].get_color()) != to_hex(lines['none'].get_color())
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ['none', 'GH']


NAMES = ('_a', '__b', '_c d', 'e_', '$f$')


def shown(figure) -> list[str]:
    """What all legends say."""
    legends = list(figure.legends)
    for axes in figure.axes:
        legends += filter(None, [axes.get_legend()])
    return [text.get_text() for legend in legends
            for text in legend.get_texts()]


def figures_of(names, pair) -> dict:
    """Each kind of picture, with these names in its legend."""
    hub = {'train/angle': np.ones(4), 'train/time': np.ones(4)}
    log = SimpleNamespace(history=hub, steps=[1, 2], accuracies=[3, 4])
    validations = SimpleNamespace(metrics=dict(snd=[1, 2]), oracle=[3, 4])
    curve = Curve([1, 2], [1, 2], [0, 1], [2, 3])
    return dict(
        conflict=lambda: conflict_figure(dict.fromkeys(names, [pair]), 2),
        tasks=lambda: conflict_figure(
            {'run': [pair._replace(weights=dict.fromkeys(names, np.ones(100)),
                                   tasks=names)]}, 2),
        comparison=lambda: comparison_figure(dict.fromkeys(names, [log])),
        classes=lambda: tsne_figure(
            {'run': dict.fromkeys(('source', 'target'),
                                  domain(np.arange(4)))}, names),
        bars=lambda: per_class_figure(
            [ClassAccuracies(name, np.ones(2), 1.) for name in names],
            ['x', 'y'], np.ones(2, int)),
        robustness=lambda: robustness_figure(
            dict(panel=dict.fromkeys(names, curve))),
        ranks=lambda: rank_figure(
            dict.fromkeys(names, [validations]), dict(snd='SND'), 'accuracy'))


@pytest.mark.parametrize('kind', ['conflict', 'tasks', 'comparison',
                                  'classes', 'bars', 'robustness', 'ranks'])
def test_each_name_is_in_the_legend_as_it_is(kind, pair, monkeypatch):
    monkeypatch.setattr('mmgh.analysis.plots.rank_correlation.values_of',
                        lambda run, metric: run.metrics[metric])
    figure = figures_of(NAMES, pair)[kind]()
    figure.canvas.draw()
    texts = [text.partition(':')[0] for text in shown(figure)]
    assert [text for text in texts if text in NAMES][:len(NAMES)] == list(
        NAMES)
