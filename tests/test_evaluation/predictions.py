"""What a model predicts for images of two domains."""
from __future__ import annotations

import torch
from mmpretrain.structures import DataSample

CLASSES = 4


def make_samples(sources: int = 9,
                 targets: int = 14,
                 marked: bool = True,
                 features: bool = True) -> list[DataSample]:
    """Source, then target; random, but always the same. All have labels."""
    generator = torch.Generator().manual_seed(0)
    number = sources + targets
    scores = torch.randn(number, CLASSES, generator=generator).softmax(dim=1)
    points = torch.randn(number, 3, generator=generator)
    labels = torch.randint(CLASSES, (number, 1), generator=generator)
    samples = []
    for i in range(number):
        sample = DataSample().set_pred_score(scores[i]).set_gt_label(labels[i])
        sample.set_pred_label(scores[i].argmax(dim=0, keepdim=True))
        if features:
            sample.set_field(points[i], 'features')
        if marked:
            domain = 'source' if i < sources else 'target'
            sample.set_metainfo(dict(domain=domain))
        samples.append(sample)
    return samples


def stack(samples: list[DataSample], field: str) -> torch.Tensor:
    return torch.stack([getattr(sample, field) for sample in samples])
