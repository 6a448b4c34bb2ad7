from __future__ import annotations

import numpy as np

from mmgh.input_error import InputError
from mmgh.registry import DATASETS
from .digit_images import DigitImages


@DATASETS.register_module()
class USPS(DigitImages):
    """Hand-written digits from envelopes, 16 x 16 pixels, white on black.

    Reads ``usps.bz2`` and ``usps.t.bz2`` in ``data_root``, as torchvision
    does. The images are of type uint8 and shape ``(16, 16)``.

    Args:
        data_root (str): The folder of the two files.
        split (str): ``'train'`` (7291 images) or ``'test'`` (2007 images).
        **kwargs: See :class:`DigitImages`.

    Source: A Database for Handwritten Text Recognition Research (TPAMI
    1994), in the normalised form of LIBSVM's data sets.

    Example:
        >>> dataset = dict(
        ...     type='mmgh.USPS',
        ...     data_root='data/usps',
        ...     split='train',
        ...     pipeline=[dict(type='PackInputs')])
    """

    def load_data_list(self) -> list[dict]:
        """Read images ``(16, 16)``, uint8, and labels."""
        from torchvision.datasets import USPS as Files
        try:
            files = Files(self.data_root, train=self.split == 'train')
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f'`data_root` should be a folder with the {self.split} images '
                'of USPS, usps.bz2 or usps.t.bz2, but reading from '
                f'{self.data_root!r} failed: {error}') from error
        return [
            dict(img=np.asarray(image), gt_label=int(label))
            for image, label in zip(files.data, files.targets)
        ]
