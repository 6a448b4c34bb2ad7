from __future__ import annotations

from pathlib import Path

import numpy as np

from mmgh.input_error import InputError
from mmgh.registry import DATASETS
from .digit_images import DigitImages


@DATASETS.register_module()
class SVHN(DigitImages):
    """Street view house numbers: colour images of digits, 32 x 32 pixels.

    Reads the cropped digits, ``train_32x32.mat`` and ``test_32x32.mat`` in
    ``data_root``. The images are RGB, of type uint8 and shape
    ``(32, 32, 3)``.

    Args:
        data_root (str): The folder of the two files.
        split (str): ``'train'`` (73257 images) or ``'test'`` (26032 images).
        **kwargs: See :class:`DigitImages`.

    Source: Reading Digits in Natural Images with Unsupervised Feature
    Learning (NIPS workshop 2011).

    Example:
        >>> dataset = dict(
        ...     type='mmgh.SVHN',
        ...     data_root='data/svhn',
        ...     split='train',
        ...     pipeline=[dict(type='PackInputs')])
    """

    def load_data_list(self) -> list[dict]:
        """Read images ``(32, 32, 3)``, uint8, and labels."""
        images, labels = self._read()
        return [
            # A column of Matlab each; its label of the digit 0 is 10.
            dict(img=np.ascontiguousarray(images[..., i]),
                 gt_label=int(label) % 10)
            for i, label in enumerate(labels.flat)
        ]

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        """Read arrays ``(32, 32, 3, N)`` and ``(N, 1)``."""
        try:
            from scipy.io import loadmat
        except ImportError as error:
            raise RuntimeError(
                'SVHN needs scipy: pip install scipy.') from error
        path = Path(self.data_root) / f'{self.split}_32x32.mat'
        try:
            content = loadmat(path)
            return content['X'], content['y']
        except Exception as error:  # of many types, where a file is broken
            raise InputError(
                f'`data_root` should be a folder with {path.name} of SVHN, '
                f'but reading {path} failed: {error!r}.') from error
