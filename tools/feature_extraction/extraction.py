"""The features of one domain, written bit by bit, so that it can go on."""
from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import torch
from progress import progress_bar
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from mmgh.feature_files import (FeatureDomain, features_path, read_domain,
                                write_domain, write_json)
from mmgh.input_error import InputError
from .image_views import ImageViews
from .networks import features_of_images


class Extraction:
    """What is done of one domain.

    Features go to ``<domain>.part.npy``, and how far they are to
    ``<domain>.part.json``. When they are complete, both become what
    :class:`mmgh.datasets.FeatureFolder` reads.

    Args:
        folder (Path): Where the features go.
        domain (str): Name.
        images (ImageViews): Of the domain.
        network (str): Digest of the network.
        shape (tuple[int, int]): Number of views and length of the features.
    """

    def __init__(self, folder: Path, domain: str, images: ImageViews,
                 network: str, shape: tuple[int, int]) -> None:
        self.folder = folder
        self.domain = domain
        self.images = images
        self.network = network
        self.part = folder / f'{domain}.part.npy'
        self.progress = folder / f'{domain}.part.json'
        self.task = hashlib.sha256(
            json.dumps([network, images.files,
                        images.labels]).encode()).hexdigest()
        self.shape = (shape[0], len(images), shape[1])
        self.done, self.broken = self._read_progress()

    @property
    def is_complete(self) -> bool:
        """Whether the features of these images are there already."""
        path = features_path(self.folder, self.domain)
        if not path.with_suffix('.json').exists():
            return False
        found = read_domain(self.folder, self.domain)
        files = sorted([*found.files, *(found.broken or ())])
        return (found.network == self.network
                and files == sorted(self.images.files))

    def run(self, model: nn.Module, batch_size: int, workers: int) -> float:
        """Extract what is missing; return the images done a second."""
        features = np.lib.format.open_memmap(
            self.part, 'r+' if self.done else 'w+', np.float16, self.shape)
        rest = Subset(self.images, range(self.done, len(self.images)))
        loader = DataLoader(
            rest, batch_size, num_workers=workers, collate_fn=list)
        start = time.perf_counter()
        with progress_bar(self.domain, len(self.images),
                          self.done) as advance:
            for batch in loader:
                self._add(features, batch, model)
                advance(len(batch))
        seconds = time.perf_counter() - start
        self._finish()
        return len(rest) / max(seconds, 1e-9)

    def _add(self, features: np.ndarray, batch: list, model: nn.Module):
        rows = range(self.done, self.done + len(batch))
        good = [row for row, views in zip(rows, batch)
                if isinstance(views, Tensor)]
        for row, reason in zip(rows, batch):
            if row not in good:
                self.broken[row] = reason
        device = next(model.parameters()).device
        for number in range(len(features) if good else 0):
            images = torch.stack([batch[row - self.done][number]
                                  for row in good]).to(device)
            values = features_of_images(model, images).half().cpu().numpy()
            if not np.isfinite(values).all():
                names = [self.images.paths[row] for row in good]
                raise InputError(
                    'Features should be finite numbers of at most 65504, but '
                    f'some of {names[0]} to {names[-1]} are not.')
            features[number, good] = values
        features.flush()
        self.done += len(batch)
        write_json(
            self.progress,
            dict(task=self.task, done=self.done, broken=self.broken))

    def _finish(self) -> None:
        files, labels = self.images.files, self.images.labels
        path = features_path(self.folder, self.domain)
        # Without it the domain is not complete, whatever happens now.
        path.with_suffix('.json').unlink(missing_ok=True)
        good = [row for row in range(len(files)) if row not in self.broken]
        if self.broken:
            features = np.load(self.part, mmap_mode='r')
            np.save(path, features[:, good])
            self.part.unlink()
        else:
            self.part.replace(path)
        write_domain(
            self.folder, self.domain,
            FeatureDomain(
                self.network, [files[row] for row in good],
                self.images.classes and list(self.images.classes),
                labels and [labels[row] for row in good],
                {files[row]: reason
                 for row, reason in self.broken.items()} or None))
        self.progress.unlink()

    def _read_progress(self) -> tuple[int, dict[int, str]]:
        if not (self.progress.exists() and self.part.exists()):
            return 0, {}
        found = json.loads(self.progress.read_text(encoding='utf-8'))
        if found['task'] != self.task:
            return 0, {}
        return found['done'], {
            int(row): reason for row, reason in found['broken'].items()
        }
