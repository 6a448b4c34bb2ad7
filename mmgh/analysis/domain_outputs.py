from __future__ import annotations

from typing import Callable, Iterable, NamedTuple, Sequence

import numpy as np
import torch
from mmengine.dataset import default_collate
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmgh.arguments import COUNT
from mmgh.classifier_outputs import (check_classifier, check_finite_outputs,
                                     features_of, scores_of)
from mmgh.input_error import InputError
from .domain_datasets import SOURCE, TARGET, in_one_line
from .trained_model import Trained

# Told of each batch; ``track(steps, title)`` yields the steps.
Track = Callable[[Sequence, str], Iterable]


class Outputs(NamedTuple):
    """What a classifier says of N images of one domain."""

    features: Tensor
    """Input of the last classification layer, shape ``(N, D)``."""
    probabilities: Tensor
    """Of the classes, shape ``(N, C)``."""
    labels: Tensor | None
    """Shape ``(N, )``; None if the domain has none."""
    indices: list[int]
    """Of the images in the data set."""


def outputs_of_domains(trained: Trained,
                       datasets: dict[str, Dataset],
                       max_images: int | None = None,
                       seed: int = 0,
                       device: str = 'cpu',
                       track: Track | None = None) -> dict[str, Outputs]:
    """Run a trained classifier on the images of both domains.

    Args:
        trained (Trained): The classifier.
        datasets (dict[str, Dataset]): By domain.
        max_images (int, optional): Draw at most so many of each domain.
            Defaults to None: all.
        seed (int): Of the drawing. Defaults to 0.
        device (str): To run on. Defaults to 'cpu'.
        track (Callable, optional): Yields the batches that it is given with a
            title, and tells the user how many are done. Defaults to None.

    Raises:
        InputError: If it is no classifier, if an image cannot be read, if
            the classifier does not take the images, if features are infinite
            or NaN, or if there are labels of more classes than it has.
    """
    model = trained.build_model(device)
    check_classifier(model)
    outputs = {}
    for domain, dataset in datasets.items():
        try:
            outputs[domain] = outputs_of(
                model, dataset, max_images, seed=seed, domain=domain,
                track=track)
        except InputError:  # it names the image
            raise
        except (AssertionError, RuntimeError, ValueError) as error:
            raise InputError(
                f'{trained.path} should take the images of the {domain}, but '
                f'ends in {in_one_line(error)}') from error
        check_finite_outputs(
            trained.path,
            features=outputs[domain].features,
            probabilities=outputs[domain].probabilities)
        _check_labels(outputs[domain], domain)
    return outputs


@torch.no_grad()
def outputs_of(model: nn.Module,
               dataset: Dataset,
               max_images: int | None = None,
               batch_size: int = 64,
               seed: int = 0,
               domain: str = 'target',
               track: Track | None = None) -> Outputs:
    """Run a classifier on the images of a data set.

    Args:
        model (nn.Module): An ``ImageClassifier``, in evaluation mode.
        dataset (Dataset): With mmpretrain's ``PackInputs``.
        max_images (int, optional): Draw at most so many. Defaults to None:
            all.
        batch_size (int): Images at a time. Defaults to 64.
        seed (int): Of the drawing. Defaults to 0.
        domain (str): Of the data set. Defaults to 'target'.
        track (Callable, optional): See :func:`outputs_of_domains`.

    Raises:
        InputError: If an image cannot be read.
    """
    COUNT.or_none().check(max_images=max_images)
    COUNT.check(batch_size=batch_size)
    indices = list(range(len(dataset)))
    if max_images is not None and max_images < len(indices):
        random = np.random.RandomState(seed)
        drawn = random.permutation(len(indices))[:max_images]
        indices = sorted(drawn.tolist())
    features, probabilities, labels = [], [], []
    starts = range(0, len(indices), batch_size)
    if track is not None:
        starts = track(starts, f'{domain}, batches of images')
    for start in starts:
        batch = _batch(dataset, indices[start:start + batch_size], domain)
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


def _check_labels(outputs: Outputs, domain: str) -> None:
    """Refuse labels of classes that the model has not, which data without
    names of classes may have."""
    number = outputs.probabilities.shape[1]
    highest = -1 if outputs.labels is None else int(outputs.labels.max())
    if highest >= number:
        raise InputError(
            f'The labels of the {domain} should be below {number}, the number '
            f'of classes of the model, but one is {highest}.')


def _batch(dataset: Dataset, indices: list[int], domain: str) -> dict:
    items = []
    for i in indices:
        try:
            items.append(dataset[i])
        except Exception as error:  # decoders name no common type
            get_info = getattr(dataset, 'get_data_info', lambda _: {})
            name = get_info(i).get('img_path', f'number {i}')
            setting = dict(source=SOURCE, target=TARGET)[domain]
            raise InputError(
                f'Each image of the {domain} should be there and pass the '
                f'test pipeline, but {name} ended in {in_one_line(error)}; '
                'if the data have moved, a setting says where, such as '
                f'`{setting}.data_root=...`.',
                argument='cfg_options') from error
    return default_collate(items)
