"""The list of all UDA heads, by which their common promises are tested.

A new head needs one line in ``HEADS``, and nothing else in the tests but what
is its own, such as its formula.
"""
from __future__ import annotations

import torch
from mmpretrain.registry import MODELS

from mmgh.models import DomainOutput, GradientReversal, UDAHead

IN_CHANNELS, NUM_CLASSES = 6, 3
DOMAINS = 'source', 'target'


class Entry:
    """A head, and the facts about it.

    Args:
        name (str): Of its class.
        cls_head (str): The classification head that it needs.
        tasks (tuple[str, ...]): Those of a classifier with this head, in
            their order.
        min_samples (int): Of each domain, below which it refuses a batch.
        pairs_samples (bool): Whether the place of a sample in the batch
            matters, so that both domains need as many.
        **options: Its arguments: small, and without dropout.
    """

    def __init__(self,
                 name: str,
                 *,
                 cls_head: str = 'LinearClsHead',
                 tasks: tuple[str, ...] = ('alignment', 'cls'),
                 min_samples: int = 1,
                 pairs_samples: bool = False,
                 **options) -> None:
        self.name = name
        self.cls_head = cls_head
        self.tasks = tasks
        self.min_samples = min_samples
        self.pairs_samples = pairs_samples
        self.config = dict(type=f'mmgh.{name}', **options)

    def __repr__(self) -> str:
        """The id of its tests."""
        options = ','.join(f'{key}={value}'
                           for key, value in self.config.items()
                           if not isinstance(value, dict) and key != 'type')
        return self.name + f'({options})' * bool(options)

    def build(self, iteration: int = 3000, **options) -> UDAHead:
        """In the middle of a training, when all its losses count."""
        head = MODELS.build(
            dict(
                self.config,
                in_channels=IN_CHANNELS,
                num_classes=NUM_CLASSES,
                **options))
        for counter in counters(head):
            counter.fill_(iteration)
        return head

    def classifier(self) -> torch.nn.Module:
        """A classification head for it, which tells the classes apart."""
        head = MODELS.build(
            dict(
                type=self.cls_head,
                in_channels=IN_CHANNELS,
                num_classes=NUM_CLASSES))
        torch.nn.init.normal_(head.fc.weight)
        return head

    def outputs(self, *sizes: int, scale: float = 1.) -> list[DomainOutput]:
        """What one classification head says of random features."""
        classifier = self.classifier()
        features = [scale * torch.randn(size, IN_CHANNELS) for size in sizes]
        return [
            output_of(classifier, x, domain)
            for domain, x in zip(DOMAINS, features)
        ]


def output_of(classifier, features, domain, logits=None) -> DomainOutput:
    """Leaves of the graph; scores that are given are such, too."""
    features = features.clone().requires_grad_()
    inputs = (features, )
    logits = (
        classifier(inputs)
        if logits is None else logits.clone().requires_grad_())
    labels = torch.arange(len(features)) % NUM_CLASSES
    return DomainOutput(features, logits, classifier, inputs,
                        labels if domain == 'source' else None)


def counters(head: UDAHead) -> list[torch.Tensor]:
    """Of training iterations, by which gradient reversals warm up."""
    return [
        module.iteration for module in head.modules()
        if isinstance(module, GradientReversal)
    ]


SMALL = dict(hidden_channels=5, dropout=0.)

HEADS = [
    Entry('AFNHead'),
    Entry('AFNHead', entropy_weight=0.1),
    Entry('BNMHead'),
    Entry('BSPHead', adversary=dict(discriminator=SMALL)),
    Entry(
        'BSPHead',
        num_values=3,
        adversary=dict(
            type='mmgh.CDANHead', entropy='reversed', discriminator=SMALL)),
    Entry('CDANHead', discriminator=SMALL),
    Entry('CDANHead', entropy='reversed', discriminator=SMALL),
    Entry('CDANHead', entropy='detached', discriminator=SMALL),
    Entry(
        'CDANHead',
        multilinear_map=dict(randomized=True, random_dim=7),
        discriminator=SMALL),
    Entry('DANHead', min_samples=2),
    Entry('DANHead', min_samples=2, pairs_samples=True, linear=True),
    Entry('DANNHead', discriminator=SMALL),
    Entry('DANNHead', entropy='reversed', discriminator=SMALL),
    Entry('DANNHead', entropy='detached', discriminator=SMALL),
    Entry(
        'DWLHead',
        tasks=('alignment', 'discrepancy', 'cls'),
        epoch_iters=2,
        discriminator=SMALL),
    Entry('DeepCORALHead', min_samples=2),
    Entry('DeepCORALHead', min_samples=2, align_means=True),
    Entry(
        'GVBHead',
        cls_head='mmgh.BridgeClsHead',
        tasks=('alignment', 'bridge_g', 'bridge_d', 'cls'),
        discriminator=SMALL),
    Entry('JANHead', min_samples=2),
    Entry('JANHead', min_samples=2, pairs_samples=True, linear=True),
    Entry('MCCHead'),
    Entry('MCDHead', tasks=('cls', 'alignment')),
    Entry('MCDHead', tasks=('cls', 'alignment'), balance_weight=0.01),
    Entry('MDDHead', hidden_channels=5, dropout=0.),
]
