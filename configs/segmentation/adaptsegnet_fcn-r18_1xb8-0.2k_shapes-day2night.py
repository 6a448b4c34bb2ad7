"""AdaptSegNet: alignment of the softmax maps of any segmentor of mmseg."""
import sys

_base_ = ['../_base_/default_runtime.py']

# The data set is defined beside this file.
sys.path.append('{{ fileDirname }}')
custom_imports = dict(imports=['shapes'])
default_scope = 'mmseg'

train_pipeline = [
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='mmgh.DomainPairDataset',
        source=dict(
            type='Shapes', domain='day', split='train',
            pipeline=train_pipeline),
        target=dict(
            type='Shapes', domain='night', split='train',
            pipeline=train_pipeline)),
    sampler=dict(type='mmgh.DomainPairSampler', infinite=True))
# Labels of the target are for testing only.
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='Shapes', domain='night', split='test', pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False))
test_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
val_dataloader = test_dataloader
val_evaluator = test_evaluator

norm_cfg = dict(type='BN')
model = dict(
    type='mmgh.UDASegmentor',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        size=(48, 48),
        mean=[127.5] * 3,
        std=[127.5] * 3),
    backbone=dict(
        type='ResNetV1c',
        depth=18,
        base_channels=8,
        stem_channels=8,
        strides=(1, 1, 1, 1),
        dilations=(1, 1, 2, 4),
        norm_cfg=norm_cfg),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=32,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=3,
        norm_cfg=norm_cfg),
    auxiliary_head=dict(
        type='FCNHead',
        in_channels=32,
        in_index=2,
        channels=16,
        num_convs=1,
        concat_input=False,
        num_classes=3,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4)),
    uda_head=dict(
        type='mmgh.AdaptSegNetHead',
        discriminator=dict(hidden_channels=(16, 32, 64)),
        reversal=dict(max_coefficient=0.01)),
    test_cfg=dict(mode='whole'))

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=5e-3))
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=1e-5, begin=0, end=200, by_epoch=False)
train_cfg = dict(by_epoch=False, max_iters=200, val_interval=100)
val_cfg = dict()
test_cfg = dict()

default_hooks = dict(
    checkpoint=dict(interval=100),
    logger=dict(interval=20),
    visualization=dict(_delete_=True, type='SegVisualizationHook'))
visualizer = dict(type='SegLocalVisualizer')
