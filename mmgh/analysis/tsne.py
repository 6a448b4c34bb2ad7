"""Features of both domains in a plane."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.manifold import TSNE

from mmgh.arguments import number
from .domain_outputs import Outputs


class Embedding(NamedTuple):
    """Images of one domain in the plane."""

    points: np.ndarray
    """Shape ``(N, 2)``; without units."""
    labels: np.ndarray | None
    """Shape ``(N, )``; None if the domain has none."""
    indices: list[int]
    """Of the images in the data set."""


def check_perplexity(perplexity: float, points: int) -> None:
    """Refuse what t-SNE has no meaning for.

    Raises:
        InputError: If it is no number above 0 and below that of the points.
    """
    number(
        above=0, below=points,
        since=f'there are {points} images').check(perplexity=perplexity)


def embed(outputs: dict[str, Outputs],
          perplexity: float = 30,
          seed: int = 0) -> dict[str, Embedding]:
    """Embed both domains in one t-SNE.

    Args:
        outputs (dict[str, Outputs]): By domain.
        perplexity (float): About how many neighbours a point has. Defaults
            to 30.
        seed (int): Of t-SNE. Defaults to 0.

    Raises:
        InputError: If the perplexity does not fit the number of images.

    Source: Visualizing Data using t-SNE (JMLR 2008).
    """
    features = np.concatenate(
        [output.features.numpy() for output in outputs.values()])
    check_perplexity(perplexity, len(features))
    points = TSNE(
        init='pca',
        learning_rate='auto',
        perplexity=perplexity,
        random_state=seed).fit_transform(features)
    ends = np.cumsum([len(output.features) for output in outputs.values()])
    return {
        domain: Embedding(
            part, None if output.labels is None else output.labels.numpy(),
            output.indices)
        for (domain, output), part in zip(outputs.items(),
                                          np.split(points, ends[:-1]))
    }
