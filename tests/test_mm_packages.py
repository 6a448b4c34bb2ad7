"""Models of mmseg and mmdet, where these are installed, that a config marks.

The text on contributing says how. Without compiled operators of mmcv, of which
nothing here runs any, names stand in for them.
"""
from __future__ import annotations

from typing import Callable

import pytest
import torch
from mmengine.registry import MODELS, OPTIM_WRAPPERS, DefaultScope
from mmengine.structures import InstanceData, PixelData
from torch import nn
from torch.optim import SGD

from mmgh.task_losses import get_task_losses

BATCH = 2
NORM = dict(type='BN')


def segmentation() -> tuple[dict, dict, str]:
    backbone = dict(
        type='mmseg.ResNetV1c', depth=18, base_channels=8, stem_channels=8,
        norm_cfg=NORM)
    model = dict(
        type='mmseg.EncoderDecoder',
        data_preprocessor=dict(
            type='mmseg.SegDataPreProcessor', size=(32, 32)),
        backbone=backbone,
        decode_head=dict(
            type='mmseg.FCNHead', in_channels=64, channels=8, num_convs=1,
            num_classes=3, norm_cfg=NORM, in_index=3),
        auxiliary_head=dict(
            type='mmseg.FCNHead', in_channels=32, channels=8, num_convs=1,
            num_classes=3, norm_cfg=NORM, in_index=2),
        test_cfg=dict(mode='whole'))
    return model, {'decode.*': 'main', 'aux.*': 'auxiliary'}, 'backbone'


def detection() -> tuple[dict, dict, str]:
    model = dict(
        type='mmdet.RetinaNet',
        data_preprocessor=dict(type='mmdet.DetDataPreprocessor'),
        backbone=dict(
            type='mmdet.ResNet', depth=18, base_channels=8, stem_channels=8,
            norm_cfg=NORM),
        neck=dict(
            type='mmdet.FPN', in_channels=[8, 16, 32, 64], out_channels=8,
            num_outs=5),
        bbox_head=dict(
            type='mmdet.RetinaHead', num_classes=3, in_channels=8,
            stacked_convs=1, feat_channels=8,
            anchor_generator=dict(
                type='mmdet.AnchorGenerator', octave_base_scale=4,
                scales_per_octave=1, ratios=[1.0],
                strides=[4, 8, 16, 32, 64]),
            bbox_coder=dict(type='mmdet.DeltaXYWHBBoxCoder')),
        train_cfg=dict(
            assigner=dict(
                type='mmdet.MaxIoUAssigner', pos_iou_thr=0.5,
                neg_iou_thr=0.4, min_pos_iou=0, ignore_iof_thr=-1),
            sampler=dict(type='mmdet.PseudoSampler'),
            allowed_border=-1, pos_weight=-1, debug=False),
        test_cfg=dict())
    return model, dict(loss_cls='cls', loss_bbox='box'), 'neck'


def segmentation_batch() -> dict:
    from mmseg.structures import SegDataSample
    torch.manual_seed(1)
    samples = []
    for _ in range(BATCH):
        sample = SegDataSample(metainfo=dict(img_shape=(32, 32)))
        sample.gt_sem_seg = PixelData(data=torch.randint(3, (1, 32, 32)))
        samples.append(sample)
    return dict(inputs=list(torch.rand(BATCH, 3, 32, 32)),
                data_samples=samples)


def detection_batch() -> dict:
    from mmdet.structures import DetDataSample
    torch.manual_seed(1)
    samples = []
    for _ in range(BATCH):
        shape = dict(img_shape=(64, 64), ori_shape=(64, 64))
        sample = DetDataSample(metainfo=shape)
        sample.gt_instances = InstanceData(
            bboxes=torch.tensor([[4., 4., 36., 36.], [30., 20., 62., 50.]]),
            labels=torch.tensor([0, 2]))
        samples.append(sample)
    return dict(inputs=list(torch.rand(BATCH, 3, 64, 64)),
                data_samples=samples)


PACKAGES = {
    'mmseg': (segmentation, segmentation_batch),
    'mmdet': (detection, detection_batch)
}


@pytest.fixture(params=PACKAGES)
def case(request):
    """Config, tasks, shared module, and what makes a batch."""
    pytest.importorskip(request.param)
    config, batch = PACKAGES[request.param]
    with DefaultScope.overwrite_default_scope(request.param):
        yield *config(), batch


def build(model: dict, tasks: dict | None = None, **options) -> nn.Module:
    torch.manual_seed(0)
    if tasks is not None:
        model = dict(type='mmgh.TaskMarked', model=model, tasks=tasks,
                     **options)
    return MODELS.build(model).train()


def train(model: nn.Module, batch: Callable[[], dict], **wrapper) -> list:
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            dict(type='OptimWrapper', optimizer=SGD(
                model.parameters(), lr=0.01)), **wrapper))
    return [
        {name: float(value)
         for name, value in model.train_step(batch(), wrapper).items()}
        for _ in range(2)
    ]


def test_marked_model_trains_as_the_model(case):
    config, tasks, features, batch = case
    ours = build(config, tasks, features=features)
    theirs = build(config)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert train(ours, batch) == train(theirs, batch)
    for name, value in theirs.state_dict().items():
        assert torch.equal(value, ours.state_dict()[name]), name
    build(config).load_state_dict(ours.state_dict(), strict=True)


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_marked_model_is_harmonized(case, probe, message_hub):
    config, tasks, features, batch = case
    model = build(config, tasks, features=features)
    losses = model._run_forward(
        model.data_preprocessor(batch(), True), mode='loss')
    by_task = get_task_losses(model.parse_losses(losses)[0])
    assert set(by_task) == set(tasks.values())
    train(model, batch, type='mmgh.GHOptimWrapper', probe=probe,
          harmonizer=dict(type='mmgh.GHPlusPlus'))
    for name in ('conflict', 'angle'):
        values = message_hub.get_scalar(f'train/{name}').data[0]
        assert len(values) == 2


def test_predictions_are_those_of_the_model(case):
    config, tasks, features, batch = case
    outputs = []
    for model in (build(config, tasks, features=features), build(config)):
        data = model.eval().data_preprocessor(batch(), False)
        with torch.no_grad():
            outputs.append(model(**data, mode='tensor'))
    torch.testing.assert_close(*outputs, rtol=0, atol=0)
