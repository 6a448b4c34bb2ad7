from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple, Sequence

import numpy as np
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner, set_random_seed
from mmpretrain.structures import DataSample

from mmgh.arguments import COUNT
from mmgh.config_data import pipeline_of
from mmgh.input_error import InputError
from .domain_datasets import in_one_line, where_data_are
from .images import visible
from .trained_model import model_config

DOMAINS = ('source', 'target')


class TrainingImages(NamedTuple):
    """N images of one domain as the network gets them, made visible again."""

    images: np.ndarray
    """RGB, uint8, shape ``(N, H, W, 3)``."""
    classes: list[str] | None
    """Names, such as ``'bike'``, of a mixed image ``'bike 70 % + mug 30 %'``;
    None for the target, which has no labels in training."""

    @property
    def names(self) -> list[str]:
        """Of the classes of all images; empty without labels."""
        return self.classes or [''] * len(self.images)


def training_images(cfg: Config,
                    number: int,
                    seed: int = 0) -> dict[str, TrainingImages]:
    """Return what the training loader yields for ``source`` and ``target``,
    after augmentation and preprocessing.

    Args:
        cfg (Config): Of a training with a domain pair.
        number (int): Images of each domain.
        seed (int): Of the drawing and the augmentation. Defaults to 0.

    Raises:
        InputError: If the training loader has one domain only, or if its
            images cannot be read.
    """
    COUNT.check(number=number)
    dataset = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    if not set(DOMAINS) <= set(dataset):
        raise InputError('`train_dataloader.dataset` should be a domain pair, '
                         'of which both domains are shown, but is a '
                         f'{dataset.get("type")}.')
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    set_random_seed(seed)
    loader = deepcopy(cfg.train_dataloader)
    # In this process all that is random has the seed.
    loader.update(
        batch_size=number, num_workers=0, persistent_workers=False)
    loader.setdefault('collate_fn', dict(type='default_collate'))
    try:
        loader = Runner.build_dataloader(loader, seed=seed)
        batch = next(iter(loader))
    except Exception as error:  # data sets fail in many ways
        hint = where_data_are(*((f'train_dataloader.dataset.{domain}',
                                 dataset[domain]) for domain in DOMAINS))
        raise InputError(
            '`train_dataloader` should give images that are there, but ends '
            f'in {in_one_line(error)}; {hint}.',
            argument='cfg_options') from error
    preprocessor = MODELS.build(model_config(cfg)).data_preprocessor
    batch = preprocessor(batch, True)
    images = {
        domain: visible(batch['inputs'][domain], preprocessor.preprocessor,
                        pipeline_of(dataset[domain])) for domain in DOMAINS
    }
    names = loader.dataset.metainfo.get('classes')
    return dict(
        source=TrainingImages(images['source'],
                              _names(batch['data_samples'], names)),
        target=TrainingImages(images['target'], None))


def _names(samples: Sequence[DataSample],
           classes: Sequence[str] | None) -> list[str]:
    return [
        ' + '.join(f'{classes[label] if classes else label}'
                   f'{f" {percent} %" if percent < 100 else ""}'
                   for label, percent in _percents(sample))
        for sample in samples
    ]


def _percents(sample: DataSample) -> list[tuple[int, int]]:
    """Return each class of an image, the largest first; batch augmentations
    such as Mixup make one of two images."""
    if 'gt_score' not in sample:
        return [(label, 100) for label in sample.gt_label.tolist()]
    percents = [round(100 * share) for share in sample.gt_score.tolist()]
    return sorted(((label, percent) for label, percent in enumerate(percents)
                   if percent > 0), key=lambda pair: -pair[1])
