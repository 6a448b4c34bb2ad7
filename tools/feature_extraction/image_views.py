from __future__ import annotations

import hashlib
import random
from functools import cached_property
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from mmengine.fileio import list_dir_or_file
from mmpretrain.datasets import CustomDataset
from torch import Tensor
from torch.utils.data import Dataset

from mmgh.class_names import check_folders
from mmgh.deployment.file_pipeline import (image_format, input_of,
                                           split_pipeline)
from mmgh.image_names import EXTENSIONS, is_hidden
from mmgh.input_error import InputError
from mmgh.seeds import mixed_seed


class ImageViews(Dataset):
    """Views of the images of a domain, ``<folder>/<class>/<image>``.

    Of a folder without folders the images have no labels. What lies in hidden
    folders is left out, but none may be among the classes. View 0 is the test
    pipeline. What is random in the others comes of the seed and the name of
    the image, so that it does not matter where an extraction stopped.

    Args:
        folder (str | Path): Of the domain.
        config (dict): Of the network, see :class:`FeatureNetwork`.

    Raises:
        InputError: If there is no image.
    """

    def __init__(self, folder: str | Path, config: dict) -> None:
        self.folder = Path(folder)
        self.seed = config['seed']
        self.shape = image_format(config['test_pipeline']).shape
        self.read, test = split_pipeline(config['test_pipeline'])
        _, train = split_pipeline(config['train_pipeline'])
        self.transforms = [test] + [train] * (config['views'] - 1)
        images = self._find()
        self.classes = images.metainfo.get('classes')
        data = [images.get_data_info(i) for i in range(len(images))]
        data = [
            info for info in data
            if not is_hidden(self.name_of(info['img_path']))
        ]
        if not data:
            raise InputError(f'{self.folder} should have images, but has '
                             'none.')
        self.paths = [info['img_path'] for info in data]
        self.labels = None if self.classes is None else [
            int(info['gt_label']) for info in data
        ]

    @property
    def files(self) -> list[str]:
        """Paths relative to the folder."""
        return [self.name_of(path) for path in self.paths]

    @cached_property
    def digests(self) -> list[str]:
        """Of the content of each file: another one may have its name."""
        return list(map(_digest, self.paths))

    def name_of(self, path: str) -> str:
        return Path(path).relative_to(self.folder).as_posix()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor | str:
        """Return views ``(views, C, H, W)`` of an image, or why it cannot be
        read."""
        path = self.paths[index]
        try:
            image = self.read(dict(img_path=path))
        except Exception as error:  # decoders name no common type
            return ' '.join(f'{error}'.split())
        name = crc32(self.name_of(path).encode())
        views = []
        for number, transform in enumerate(self.transforms):
            set_seed(mixed_seed(self.seed, name, number))
            view = input_of(transform, dict(image, img=image['img'].copy()),
                            path)
            if tuple(view.shape) != self.shape:
                raise InputError(
                    'Both pipelines should give images of shape '
                    f'{self.shape}, but one gives {tuple(view.shape)} for '
                    f'{path}.')
            views.append(view)
        return torch.stack(views)

    def _find(self) -> CustomDataset:
        folders = list_dir_or_file(self.folder, list_file=False)
        has_classes = any(not name.startswith('.') for name in folders)
        try:
            images = CustomDataset(
                data_root=str(self.folder),
                with_label=has_classes,
                extensions=EXTENSIONS)
            check_folders(images, str(self.folder))
        except Exception as error:  # of several types
            raise InputError(
                f'{self.folder} should have images, <class>/<image> or all in '
                f'one folder, but: {error}') from error
        return images


def _digest(path: str) -> str:
    try:
        content = Path(path).read_bytes()
    except OSError:  # told where it is read as an image
        return ''
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def set_seed(seed: int) -> None:
    """Set all random numbers that transforms may use."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
