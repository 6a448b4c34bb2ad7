"""Images of both domains in a plane."""
from __future__ import annotations

from typing import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mmgh.analysis.tsne import Embedding
from .figure import as_label, legend, names_as_they_are, subplots
from .palette import CLASS_STYLES, DOMAINS, UNKNOWN, class_style


@names_as_they_are()
def tsne_figure(rows: dict[str, dict[str, Embedding]],
                classes: Sequence[str]) -> Figure:
    """Draw a row for each run: by domain on the left, by class on the right.

    Args:
        rows (dict[str, dict[str, Embedding]]): By title of the row and
            domain.
        classes (Sequence[str]): Names.
    """
    handles = class_handles(list(rows.values())[-1], classes)
    columns = 1 + len(handles) // 30
    figure, panels = subplots(
        len(rows),
        2,
        squeeze=False,
        figsize=(10.4 + 1.6 * columns, 5.2 * len(rows)))
    for (title, domains), (left, right) in zip(rows.items(), panels):
        draw_domains(left, domains)
        draw_classes(right, domains)
        left.set_title(f'{title}\nby domain', fontsize=10)
        right.set_title(f'{title}\nby class', fontsize=10)
    panels[0][0].legend(loc='best')
    legend(
        figure,
        handles,
        loc='outside right upper',
        ncols=columns,
        fontsize='small')
    figure.supxlabel('t-SNE of the input of the last layer: near points are '
                     'alike, axes have no units', fontsize=10)
    return figure


def draw_domains(axes, domains: dict[str, Embedding]) -> None:
    """Draw the domains, each in one colour and marker."""
    for domain, embedding in domains.items():
        axes.scatter(
            *embedding.points.T,
            s=14,
            alpha=0.6,
            linewidths=0,
            label=f'{domain} ({len(embedding.points)} images)',
            **DOMAINS[domain])
    _hide_ticks(axes)


def draw_classes(axes, domains: dict[str, Embedding]) -> None:
    """Draw the classes, each in one colour and marker; source filled,
    target hollow, and grey where it has no labels."""
    for domain, embedding in domains.items():
        labels = embedding.labels
        if labels is None:
            _scatter(axes, embedding.points, domain, UNKNOWN, 'o')
            continue
        for label in sorted(set(labels.tolist())):
            _scatter(axes, embedding.points[labels == label], domain,
                     **class_style(label))
    _hide_ticks(axes)


def class_handles(domains: dict[str, Embedding],
                  classes: Sequence[str]) -> list[Line2D]:
    """Return the entries of the legend of ``draw_classes``."""
    grey = domains['target'].labels is None
    target = 'target: no labels' if grey else 'target (hollow): test labels'
    look = dict(marker='o', linestyle='', color=UNKNOWN)
    handles = [
        Line2D([], [], label='source (filled)', **look),
        Line2D([], [], markerfacecolor='none', label=target, **look)
    ]
    if len(classes) > CLASS_STYLES:
        # Neither colours nor space are enough.
        text = f'{len(classes)} classes: see the CSV'
        return handles + [Line2D([], [], linestyle='', label=text)]
    return handles + [
        Line2D([], [], linestyle='', label=as_label(name),
               **class_style(label))
        for label, name in enumerate(classes)
    ]


def _scatter(axes, points, domain: str, color: str, marker: str) -> None:
    face = color if domain == 'source' else 'none'
    axes.scatter(
        *points.T, s=20, alpha=0.7, linewidths=0.8, marker=marker,
        facecolors=face, edgecolors=color)


def _hide_ticks(axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
