from __future__ import annotations

import mmcv
import numpy as np

from mmgh.registry import DATASETS
from .digit_images import DigitImages

_SIZE = 28
_MARGIN = 4


def _sklearn_datasets():
    try:
        from sklearn import datasets
    except ImportError as error:
        raise RuntimeError('The embedded digits need scikit-learn: '
                           'pip install scikit-learn.') from error
    return datasets


@DATASETS.register_module()
class Digits(DigitImages):
    """Hand-written digits that come with scikit-learn: no download.

    Each image is enlarged from 8 x 8 pixels to the look of MNIST, white on
    black in 28 x 28, with three equal channels. ``Digits`` and
    :class:`DigitsM` never show the same hand-written digit, nor do their
    splits; the division is fixed.

    Args:
        split (str): ``'train'`` (697 images) or ``'test'`` (100 images).
        **kwargs: See :class:`DigitImages`.

    Source: UCI optical recognition of handwritten digits.

    Example:
        >>> dataset = dict(
        ...     type='mmgh.Digits',
        ...     split='train',
        ...     pipeline=[dict(type='PackInputs')])
    """

    splits = dict(train=slice(0, 697), test=slice(697, 797))

    def load_data_list(self) -> list[dict]:
        """Make images ``(28, 28, 3)``, uint8, and labels."""
        digits = _sklearn_datasets().load_digits()
        order = np.random.RandomState(0).permutation(len(digits.images))
        return [
            dict(
                img=self._render(digits.images[i], seed=int(i)),
                gt_label=int(digits.target[i]))
            for i in order[self.splits[self.split]]
        ]

    def _render(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Enlarge an ``(8, 8)`` image with values from 0 to 16, as MNIST
        does: 20 x 20 pixels in the middle of 28 x 28, and steep edges."""
        inner = _SIZE - 2 * _MARGIN
        gray = mmcv.imresize((image / 16).astype(np.float32), (inner, inner),
                             interpolation='bicubic')
        gray = np.clip((gray - 0.35) / 0.3, 0, 1)
        gray = np.pad((gray * 255).astype(np.uint8), _MARGIN)
        return np.repeat(gray[..., None], 3, axis=2)


@DATASETS.register_module()
class DigitsM(Digits):
    """The same digits over natural images: a target domain for ``Digits``.

    As MNIST-M is made from MNIST, each digit is blended with a random patch
    of a photograph by the absolute difference of their colours. The patches
    come from the two photographs in scikit-learn, the same for each run.

    Args:
        split (str): ``'train'`` (600 images) or ``'test'`` (400 images).
        **kwargs: See :class:`DigitImages`.

    Source: Unsupervised Domain Adaptation by Backpropagation (ICML 2015),
    section 4.1.

    Example:
        >>> dataset = dict(
        ...     type='mmgh.DigitsM',
        ...     split='train',
        ...     pipeline=[dict(type='PackInputs')])
    """

    splits = dict(train=slice(797, 1397), test=slice(1397, 1797))

    def load_data_list(self) -> list[dict]:
        self._photographs = _sklearn_datasets().load_sample_images().images
        return super().load_data_list()

    def _render(self, image: np.ndarray, seed: int) -> np.ndarray:
        random = np.random.RandomState(seed)
        photograph = self._photographs[random.randint(len(self._photographs))]
        height, width, _ = photograph.shape
        top = random.randint(height - _SIZE + 1)
        left = random.randint(width - _SIZE + 1)
        patch = photograph[top:top + _SIZE, left:left + _SIZE].astype(int)
        digit = super()._render(image, seed).astype(int)
        return np.abs(patch - digit).astype(np.uint8)
