"""The records of the data sets, against the published totals."""
from __future__ import annotations

import pytest


@pytest.mark.parametrize('name, counts', [
    ('office31', dict(amazon=2817, dslr=498, webcam=795)),
    ('office-home', {
        'Art': 2427, 'Clipart': 4365, 'Product': 4439, 'Real World': 4357
    }),
    ('visda2017', dict(train=152397, validation=55388, test=72372)),
    ('mnist', dict(train=60000, test=10000)),
    ('usps', dict(train=7291, test=2007)),
    ('svhn', dict(train=73257, test=26032)),
    ('mnist-m', dict(train=59001, test=9001)),
])
def test_records_have_the_published_counts(records, name, counts):
    assert list(records[name].domains) == list(counts)
    for part in records[name].parts:
        count = getattr(part, 'images', None) or part.lines
        assert count == counts[part.domain]
        each = getattr(part, 'labels', None) or getattr(part, 'classes', None)
        if isinstance(each, dict):
            assert sum(each.values()) == count


def test_lists_of_domainnet_have_the_published_counts(records):
    """As many as domainbed counts after it removes the duplicates."""
    lists = [part for part in records['domainnet'].parts
             if hasattr(part, 'lines')]
    assert len(lists) == 12
    assert sum(part.lines for part in lists) == 586575
