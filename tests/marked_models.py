"""Models of mmpretrain with several losses, small, and batches for them."""
from __future__ import annotations

import torch
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample, MultiTaskDataSample

RESNET = dict(
    type='mmpretrain.ResNet',
    depth=18,
    base_channels=4,
    stem_channels=4,
    norm_cfg=dict(type='BN'))
CLASSES = dict(digit=10, parity=2)
MULTI_TASK = dict(
    type='mmpretrain.ImageClassifier',
    backbone=RESNET,
    neck=dict(type='mmpretrain.GlobalAveragePooling'),
    head=dict(
        type='mmpretrain.MultiTaskHead',
        in_channels=32,
        task_heads={
            name: dict(type='mmpretrain.LinearClsHead', num_classes=number)
            for name, number in CLASSES.items()
        }))
OF_MULTI_TASK = {'digit_*': 'digit', 'parity_*': 'parity'}
DENSE_CL = dict(
    type='mmpretrain.DenseCL',
    queue_len=16,
    feat_dim=8,
    backbone=RESNET,
    neck=dict(
        type='mmpretrain.DenseCLNeck',
        in_channels=32,
        hid_channels=16,
        out_channels=8,
        num_grid=None),
    head=dict(
        type='mmpretrain.ContrastiveHead',
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
        temperature=0.2))
OF_DENSE_CL = dict(loss_single='global', loss_dense='dense')


def marked(model: dict, tasks: dict, seed: int = 0, **options):
    torch.manual_seed(seed)
    config = dict(type='mmgh.TaskMarked', model=model, tasks=tasks, **options)
    return MODELS.build(config)


def plain(model: dict, seed: int = 0):
    torch.manual_seed(seed)
    return MODELS.build(model)


def multi_task_batch(size: int = 4) -> dict:
    generator = torch.Generator().manual_seed(1)
    samples = []
    for i in range(size):
        sample = MultiTaskDataSample()
        for name, number in CLASSES.items():
            label = DataSample().set_gt_label(3 * i % number)
            sample.set_field(label, name)
        samples.append(sample)
    return dict(
        inputs=torch.randn(size, 3, 28, 28, generator=generator),
        data_samples=samples)


def dense_cl_batch(size: int = 4) -> dict:
    generator = torch.Generator().manual_seed(1)
    views = [torch.randn(size, 3, 64, 64, generator=generator)
             for _ in range(2)]
    return dict(
        inputs=views, data_samples=[DataSample() for _ in range(size)])
