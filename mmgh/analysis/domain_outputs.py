from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple, Optional

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, init_default_scope
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from mmgh.classifier_outputs import features_of, scores_of
from .trained_model import Trained


class Outputs(NamedTuple):
    """What a classifier says of N images of one domain."""

    features: Tensor
    """Input of the last classification layer, shape ``(N, D)``."""
    probabilities: Tensor
    """Of the classes, shape ``(N, C)``."""
    labels: Optional[Tensor]
    """Shape ``(N, )``; None if the domain has none."""
    indices: list[int]
    """Of the images in the data set."""


def domain_datasets(cfg: Config) -> dict[str, Dataset]:
    """Both domains of a config, as they are seen in testing.

    ``target`` is the test data. ``source`` is the source of the training
    data, with the pipeline of the test data. Where the test data have both
    domains, they count.

    Raises:
        SystemExit: If the config names one domain only.
    """
    test = _dataset_config(cfg, 'test_dataloader')
    train = _dataset_config(cfg, 'train_dataloader')
    if not has_domain_pair(cfg):
        raise SystemExit(
            '`train_dataloader.dataset` should be a domain pair, of which the '
            f'source is shown, but is a {train.get("type")}.')
    target = target_dataset(cfg)
    source = test.get('source')
    if source is None:
        source = train.source
        source.pipeline = test.pipeline
    return dict(source=DATASETS.build(source), target=target)


def has_domain_pair(cfg: Config) -> bool:
    """Whether a config names both domains."""
    return any('source' in _dataset_config(cfg, f'{loader}_dataloader')
               for loader in ('train', 'test'))


def target_dataset(cfg: Config) -> Dataset:
    """The test data of a config; of both domains the target.

    Raises:
        SystemExit: If the config has no test data.
    """
    test = _dataset_config(cfg, 'test_dataloader')
    if not test:
        raise SystemExit('`test_dataloader` should have the images of the '
                         'target, but the run was trained without one.')
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    return DATASETS.build(test.get('target', test))


def _dataset_config(cfg: Config, loader: str) -> ConfigDict:
    return deepcopy((cfg.get(loader) or {}).get('dataset') or ConfigDict())


def outputs_of_domains(trained: Trained,
                       datasets: dict[str, Dataset],
                       max_images: int,
                       seed: int = 0,
                       device: str = 'cpu') -> dict[str, Outputs]:
    """Run a trained classifier on the images of both domains.

    Args:
        trained (Trained): The classifier.
        datasets (dict[str, Dataset]): By domain.
        max_images (int): Draw at most so many of each domain.
        seed (int): Of the drawing. Defaults to 0.
        device (str): To run on. Defaults to 'cpu'.

    Raises:
        SystemExit: If features are infinite or NaN.
    """
    model = trained.build_model(device)
    outputs = {
        domain: outputs_of(model, dataset, max_images, seed=seed)
        for domain, dataset in datasets.items()
    }
    for domain, output in outputs.items():
        if not output.features.isfinite().all():
            raise SystemExit(
                f'{trained.path} should give finite features, but those of '
                f'the {domain} are not: the training diverged.')
    return outputs


@torch.no_grad()
def outputs_of(model: nn.Module,
               dataset: Dataset,
               max_images: int | None = None,
               batch_size: int = 64,
               seed: int = 0) -> Outputs:
    """Run a classifier on the images of a data set.

    Args:
        model (nn.Module): An ``ImageClassifier``, in evaluation mode.
        dataset (Dataset): With mmpretrain's ``PackInputs``.
        max_images (int, optional): Draw at most so many. Defaults to None:
            all.
        batch_size (int): Images at a time. Defaults to 64.
        seed (int): Of the drawing. Defaults to 0.
    """
    indices = list(range(len(dataset)))
    if max_images is not None and max_images < len(indices):
        random = np.random.RandomState(seed)
        drawn = random.permutation(len(indices))[:max_images]
        indices = sorted(drawn.tolist())
    loader = DataLoader(
        Subset(dataset, indices), batch_size, collate_fn=default_collate)
    features, probabilities, labels = [], [], []
    for batch in loader:
        data = model.data_preprocessor(batch, False)
        feats = model.extract_feat(data['inputs'])
        features.append(features_of(model.head, feats).float().cpu())
        probabilities.append(
            scores_of(model.head, feats).float().softmax(1).cpu())
        labels += [
            sample.gt_label for sample in data['data_samples']
            if 'gt_label' in sample
        ]
    return Outputs(
        torch.cat(features), torch.cat(probabilities),
        torch.cat(labels).cpu() if labels else None, indices)
