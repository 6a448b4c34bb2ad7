"""Images of both domains."""
from __future__ import annotations

import textwrap

from matplotlib.figure import Figure

from mmgh.analysis.training_images import TrainingImages
from .figure import names_as_they_are, subplots

# Letters that fit over an image.
NAME_WIDTH = 14


@names_as_they_are()
def images_figure(domains: dict[str, TrainingImages]) -> Figure:
    """Draw a row per domain, a column per image, and the names of classes.

    Args:
        domains (dict[str, TrainingImages]): As many images of each domain.
    """
    number = max(len(shown.images) for shown in domains.values())
    figure, grid = subplots(
        len(domains),
        number,
        squeeze=False,
        figsize=(1.3 * number + 0.4, 1.6 * len(domains)))
    for row, (domain, shown) in zip(grid, domains.items()):
        row[0].set_ylabel(domain, fontsize=11)
        for axes, image, name in zip(row, shown.images, shown.names):
            axes.imshow(image)
            axes.set(xticks=[], yticks=[])
            axes.set_title(textwrap.fill(name, NAME_WIDTH), fontsize=8)
    return figure
