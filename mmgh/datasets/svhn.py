from __future__ import annotations

from pathlib import Path

import numpy as np
from mmpretrain.datasets import MNIST, BaseDataset

from mmgh.registry import DATASETS


@DATASETS.register_module()
class SVHN(BaseDataset):
    """Street view house numbers: colour images of digits, 32 x 32 pixels.

    Reads the cropped digits, ``train_32x32.mat`` and ``test_32x32.mat`` in
    ``data_root``. The images are RGB, of type uint8 and shape
    ``(32, 32, 3)``.

    Args:
        data_root (str): The folder of the two files.
        split (str): ``'train'`` (73257 images) or ``'test'`` (26032 images).
        pipeline (Sequence): Transforms of mmpretrain, such as
            ``[dict(type='PackInputs')]``.
        **kwargs: Further arguments of mmpretrain's ``BaseDataset``.

    Source: Reading Digits in Natural Images with Unsupervised Feature
    Learning (NIPS workshop 2011).
    """

    METAINFO = MNIST.METAINFO

    def __init__(self,
                 data_root: str,
                 split: str,
                 pipeline=(),
                 **kwargs) -> None:
        if split not in ('train', 'test'):
            raise ValueError("`split` should be 'train' or 'test', but got "
                             f'{split!r}.')
        self.split = split
        super().__init__(
            ann_file='', data_root=data_root, pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Images ``(32, 32, 3)``, uint8, and labels."""
        images, labels = self._read()
        return [
            # A column of Matlab each; its label of the digit 0 is 10.
            dict(img=np.ascontiguousarray(images[..., i]),
                 gt_label=int(label) % 10)
            for i, label in enumerate(labels.flat)
        ]

    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        """Arrays ``(32, 32, 3, N)`` and ``(N, 1)``."""
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
            raise ValueError(
                f'`data_root` should be a folder with {path.name} of SVHN, '
                f'but reading {path} failed: {error!r}.') from error

    def extra_repr(self) -> list[str]:
        return [f'Split: \t{self.split}']
