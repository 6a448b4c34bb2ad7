"""The embedded digits: disjoint, deterministic, and really shifted."""
from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mmgh.datasets import Digits, DigitsM

SPLITS = [(Digits, 'train'), (Digits, 'test'), (DigitsM, 'train'),
          (DigitsM, 'test')]


def images_and_labels(dataset):
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return (np.stack([item['img'] for item in items]),
            np.array([item['gt_label'] for item in items]))


@pytest.mark.parametrize('dataset_type, split', SPLITS)
def test_images_are_colour_images_of_ten_classes(dataset_type, split):
    images, labels = images_and_labels(dataset_type(split))
    assert images.shape[1:] == (28, 28, 3) and images.dtype == np.uint8
    assert sorted(set(labels)) == list(range(10))
    assert len(dataset_type(split).metainfo['classes']) == 10


def test_splits_divide_the_digits_of_scikit_learn():
    """Together they have each label as often, and no digit occurs twice."""
    labels = np.concatenate(
        [images_and_labels(kind(split))[1] for kind, split in SPLITS])
    assert sorted(labels) == sorted(load_digits().target)
    indices = [
        np.arange(len(labels))[kind.splits[split]] for kind, split in SPLITS
    ]
    assert len(set(np.concatenate(indices))) == len(labels)


@pytest.mark.parametrize('dataset_type, split', SPLITS)
def test_second_look_sees_the_same(dataset_type, split):
    first, second = (
        images_and_labels(dataset_type(split)) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_digits_are_gray_and_digits_m_is_not():
    gray, _ = images_and_labels(Digits('test'))
    colour, _ = images_and_labels(DigitsM('test'))
    assert (gray == gray[..., :1]).all()
    assert (colour != colour[..., :1]).any(axis=(1, 2, 3)).all()


def test_blend_is_an_absolute_difference_with_a_photograph():
    """Where the digit is black the photograph shows unchanged."""
    target = DigitsM('test')
    digit = np.zeros((8, 8))
    patch = target._render(digit, seed=3)
    assert any(contains(photo, patch) for photo in target._photographs)
    white = target._render(np.full((8, 8), 16.), seed=3)
    inside = slice(10, 18)
    assert np.array_equal(white[inside, inside], 255 - patch[inside, inside])


def contains(photo, patch):
    windows = np.lib.stride_tricks.sliding_window_view(
        photo, patch.shape[:2], axis=(0, 1))
    wanted = patch.transpose(2, 0, 1)
    corner = (windows[..., 0, 0] == wanted[:, 0, 0]).all(-1)
    return any(
        (windows[y, x] == wanted).all() for y, x in zip(*corner.nonzero()))


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match="`split`.*'train'.*'val'"):
        Digits('val')
