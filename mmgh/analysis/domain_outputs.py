from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple, Optional

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS, init_default_scope
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from mmgh.classifier_outputs import features_of, scores_of


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
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    test = deepcopy(cfg.test_dataloader.dataset)
    if 'source' in test:
        return {
            domain: DATASETS.build(test[domain])
            for domain in ('source', 'target')
        }
    train = cfg.train_dataloader.dataset
    if 'source' not in train:
        raise SystemExit(
            '`train_dataloader.dataset` should be a domain pair, of which the '
            f'source is shown, but is a {train.get("type")}.')
    source = deepcopy(train.source)
    source.pipeline = deepcopy(test.pipeline)
    return dict(source=DATASETS.build(source), target=DATASETS.build(test))


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
        indices = sorted(random.permutation(len(indices))[:max_images].tolist())
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
