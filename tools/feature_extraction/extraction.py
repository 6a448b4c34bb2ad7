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
    :class:`mmgh.datasets.FeatureFolder` reads. Where such features are there
    already, those of images that are the same are taken over.

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
        self.shape = (shape[0], len(images), shape[1])
        self.before = self._read_before()
        self.changed = self._changed()
        self.known = self._known()
        self.rows = [
            row for row in range(len(images)) if row not in self.known]
        self.task = hashlib.sha256(
            json.dumps([network, images.files, images.labels, images.digests,
                        self.rows]).encode()).hexdigest()
        self.done, self.broken = self._read_progress()

    def find_complete(self) -> bool:
        """Tell whether the features of all images that can be read are there
        already. Those that could not be read are tried again."""
        before = self.before
        if before is None or before.classes != self._classes or len(
                before.files) != len(self.known):
            return False
        broken = {}
        for row in self.rows:
            broken[row] = self.images[row]
            if isinstance(broken[row], Tensor):
                return False
        self.broken = broken
        return True

    @property
    def are_compared(self) -> bool:
        """Whether it is known that no image of :attr:`known` was replaced."""
        return self.before is None or all(self.before.digests or [''])

    def run(self, model: nn.Module, batch_size: int, workers: int) -> float:
        """Extract what is missing; return the images done a second."""
        features = np.lib.format.open_memmap(
            self.part, 'r+' if self.done else 'w+', np.float16, self.shape)
        if not self.done:
            self._take_over(features)
        rest = Subset(self.images, self.rows[self.done:])
        loader = DataLoader(
            rest, batch_size, num_workers=workers, collate_fn=list)
        start = time.perf_counter()
        with progress_bar(self.domain, len(self.rows),
                          self.done) as advance:
            for batch in loader:
                self._add(features, batch, model)
                advance(len(batch))
        seconds = time.perf_counter() - start
        self._finish()
        return len(rest) / max(seconds, 1e-9)

    def _add(self, features: np.ndarray, batch: list, model: nn.Module):
        rows = self.rows[self.done:self.done + len(batch)]
        views_of = dict(zip(rows, batch))
        good = [row for row in rows if isinstance(views_of[row], Tensor)]
        self.broken.update({
            row: reason for row, reason in views_of.items() if row not in good
        })
        device = next(model.parameters()).device
        for number in range(len(features) if good else 0):
            images = torch.stack([views_of[row][number]
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
        digests = self._digests()
        if self.broken:
            features = np.load(self.part, mmap_mode='r')
            np.save(path, features[:, good])
            self.part.unlink()
        else:
            self.part.replace(path)
        write_domain(
            self.folder, self.domain,
            FeatureDomain(
                self.network, [files[row] for row in good], self._classes,
                labels and [labels[row] for row in good],
                {files[row]: reason
                 for row, reason in self.broken.items()} or None,
                [digests[row] for row in good]))
        self.progress.unlink(missing_ok=True)

    @property
    def _classes(self) -> list[str] | None:
        return self.images.classes and list(self.images.classes)

    def _read_before(self) -> FeatureDomain | None:
        """Return what is known of features that are there already."""
        path = features_path(self.folder, self.domain)
        if not path.with_suffix('.json').exists():
            return None
        before = read_domain(self.folder, self.domain)
        return before if before.network == self.network else None

    def _changed(self) -> list[str]:
        """Return the files that are other images than before."""
        if self.before is None:
            return []
        now = dict(zip(self.images.files, self.images.digests))
        return [
            file for file, digest in zip(self.before.files,
                                         self.before.digests or ())
            if digest and file in now and now[file] != digest
        ]

    def _known(self) -> dict[int, int]:
        """Return the rows of images that have features, and which rows these
        are of the features that are there."""
        if self.before is None:
            return {}
        changed = set(self.changed)
        there = {file: row for row, file in enumerate(self.before.files)
                 if file not in changed}
        return {row: there[file]
                for row, file in enumerate(self.images.files) if file in there}

    def _take_over(self, features: np.ndarray) -> None:
        if self.known:
            before = np.load(
                features_path(self.folder, self.domain), mmap_mode='r')
            for number, view in enumerate(before):
                features[number, list(self.known)] = view[list(
                    self.known.values())]

    def _digests(self) -> list[str]:
        """Return those of the images that the features are of."""
        digests = list(self.images.digests)
        for row, there in self.known.items():
            before = self.before.digests
            digests[row] = before[there] if before else ''
        return digests

    def _read_progress(self) -> tuple[int, dict[int, str]]:
        if not (self.progress.exists() and self.part.exists()):
            return 0, {}
        found = json.loads(self.progress.read_text(encoding='utf-8'))
        if found['task'] != self.task:
            return 0, {}
        return found['done'], {
            int(row): reason for row, reason in found['broken'].items()
        }
