"""Reading SVHN; what a base makes of it is in test_layouts.py."""
from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

from mmgh.datasets import SVHN


def test_images_and_labels_are_those_of_the_file(tmp_path):
    images = np.random.default_rng(0).integers(
        0, 256, (32, 32, 3, 4), dtype=np.uint8)
    labels = [10, 1, 9, 5]
    savemat(tmp_path / 'test_32x32.mat',
            dict(X=images, y=np.array(labels, np.uint8)[:, None]))
    dataset = SVHN(data_root=str(tmp_path), split='test')
    assert dataset.get_gt_labels().tolist() == [0, 1, 9, 5]
    for i in range(4):
        assert np.array_equal(dataset[i]['img'], images[..., i])
    assert dataset.metainfo['classes'][0] == '0 - zero'


def test_unknown_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`split`.*'train'.*'extra'"):
        SVHN(data_root=str(tmp_path), split='extra')


@pytest.mark.parametrize('content', [None, b'', b'not a matrix' * 100])
def test_missing_or_broken_file_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / 'train_32x32.mat').write_bytes(content)
    with pytest.raises(ValueError, match='`data_root`.*train_32x32.mat'):
        SVHN(data_root=str(tmp_path), split='train')


def test_file_without_images_is_named(tmp_path):
    savemat(tmp_path / 'train_32x32.mat', dict(y=np.ones((3, 1))))
    with pytest.raises(ValueError, match="train_32x32.mat failed.*'X'"):
        SVHN(data_root=str(tmp_path), split='train')
