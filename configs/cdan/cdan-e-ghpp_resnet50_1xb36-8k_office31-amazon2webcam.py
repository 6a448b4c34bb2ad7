# Any classifier of mmpretrain takes the two overrides that turn on adaptation
# (`model`) and harmonization (`optim_wrapper`); the rest of this file is data
# and the recipe of the published code of CDAN and GH.
_base_ = 'mmpretrain::resnet/resnet50_8xb32_in1k.py'

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(type='mmgh.CDANHead', entropy='reversed'),
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    neck=[
        dict(type='GlobalAveragePooling'),
        dict(type='mmgh.Bottleneck', in_channels=2048, out_channels=256),
    ],
    head=dict(num_classes=31, in_channels=256))

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper',
    harmonizer=dict(type='mmgh.GHPlusPlus'),
    optimizer=dict(
        _delete_=True,
        type='SGD',
        lr=0.001,
        momentum=0.9,
        weight_decay=1e-3,
        nesterov=True),
    # New layers learn ten times as fast as the pretrained backbone. `head`
    # is also in `uda_head`.
    paramwise_cfg=dict(
        custom_keys=dict(neck=dict(lr_mult=10), head=dict(lr_mult=10))))
param_scheduler = dict(
    _delete_=True, type='mmgh.InverseDecayLR', by_epoch=False)

# Office-31 in its published layout: <data_root>/<domain>/images/<class>/.
data_root = 'data/office31'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(256, 256)),
    dict(type='RandomResizedCrop', scale=224),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(256, 256)),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]
data_preprocessor = dict(num_classes=31)
train_dataloader = dict(
    batch_size=36,
    dataset=dict(
        _delete_=True,
        type='mmgh.DomainPairDataset',
        source=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='amazon/images',
            pipeline=train_pipeline),
        target=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='webcam/images',
            pipeline=train_pipeline)),
    sampler=dict(
        _delete_=True, type='mmgh.DomainPairSampler', infinite=True))
# Labels of the target are for testing only.
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=data_root,
        data_prefix='webcam/images',
        pipeline=test_pipeline))
val_evaluator = dict(topk=(1, ))
test_dataloader = val_dataloader
test_evaluator = val_evaluator

train_cfg = dict(
    _delete_=True, by_epoch=False, max_iters=8004, val_interval=500)
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=500, max_keep_ckpts=2))
custom_hooks = [dict(type='mmgh.IterationSeedHook')]
randomness = dict(seed=0)
log_processor = dict(by_epoch=False, window_size=50)
