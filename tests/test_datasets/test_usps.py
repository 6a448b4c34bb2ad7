"""USPS in the layout of LIBSVM's data sets, made by the tests."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mmpretrain.datasets import MNIST

from mmgh.datasets import USPS
from .layouts import write_usps


@pytest.mark.parametrize('split, file', [('train', 'usps.bz2'),
                                         ('test', 'usps.t.bz2')])
def test_reads_images_and_labels(tmp_path, split, file):
    images = np.random.default_rng(0).integers(0, 2, (3, 16, 16))
    write_usps(tmp_path / file, images, [0, 9, 4])
    dataset = USPS(data_root=str(tmp_path), split=split)
    for i, label in enumerate((0, 9, 4)):
        item = dataset.get_data_info(i)
        assert item['gt_label'] == label
        assert item['img'].dtype == np.uint8
        assert np.array_equal(item['img'], 255 * images[i])
    assert len(dataset) == 3
    assert dataset.metainfo['classes'] == MNIST.METAINFO['classes']


def test_unknown_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`split`.*'train'.*'val'"):
        USPS(data_root=str(tmp_path), split='val')


def damaged(root: Path) -> None:
    (root / 'usps.bz2').write_bytes(b'not an archive')


def truncated(root: Path) -> None:
    write_usps(root / 'usps.bz2', np.zeros((2, 16, 16)), [1, 2])
    whole = (root / 'usps.bz2').read_bytes()
    (root / 'usps.bz2').write_bytes(whole[:len(whole) // 2])


@pytest.mark.parametrize('prepare', [lambda root: None, damaged, truncated])
def test_unreadable_file_is_named(tmp_path, prepare):
    prepare(tmp_path)
    with pytest.raises(ValueError, match=f'`data_root`.*{tmp_path}'):
        USPS(data_root=str(tmp_path), split='train')
