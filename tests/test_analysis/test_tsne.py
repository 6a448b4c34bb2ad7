"""Both domains in a plane."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgh.analysis import Outputs
from mmgh.analysis.tsne import embed


@pytest.fixture
def outputs():
    """Two clusters in each domain, far from each other; the target has no
    labels."""

    def domain(count, labels):
        cluster = torch.arange(count) % 2
        features = torch.randn(count, 8) + 50 * cluster[:, None]
        return Outputs(features, torch.ones(count, 2),
                       cluster if labels else None, list(range(count)))

    return dict(source=domain(30, True), target=domain(20, False))


def test_clusters_stay_together_across_domains(outputs):
    embedded = embed(outputs, perplexity=10)
    points = np.concatenate([e.points for e in embedded.values()])
    cluster = np.concatenate([np.arange(30) % 2, np.arange(20) % 2])
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (cluster[distances.argmin(1)] == cluster).all()


def test_images_keep_their_labels_and_places(outputs):
    embedded = embed(outputs, perplexity=10)
    assert [e.points.shape for e in embedded.values()] == [(30, 2), (20, 2)]
    assert embedded['source'].labels.tolist() == [0, 1] * 15
    assert embedded['target'].labels is None
    assert embedded['target'].indices == list(range(20))


def test_same_seed_gives_the_same_picture(outputs):
    first, second = embed(outputs, 10, seed=1), embed(outputs, 10, seed=1)
    np.testing.assert_array_equal(first['source'].points,
                                  second['source'].points)


@pytest.mark.parametrize('perplexity', [0, -1, 50, 80, float('nan')])
def test_impossible_perplexity_is_refused(outputs, perplexity):
    with pytest.raises(ValueError, match='`perplexity` .* 50 images, but got '
                       f'{perplexity:g}'):
        embed(outputs, perplexity)
