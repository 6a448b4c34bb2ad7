# MCD as in TLlib, on any photographs, but for where the classifiers have
# dropout, and for their batch normalisation, which sees one domain at a time.
_base_ = ['../models/resnet50.py', '../default_runtime.py']

classifier = dict(
    type='mmpretrain.StackedLinearClsHead',
    num_classes=31,
    in_channels=2048,
    mid_channels=[1024, 1024],
    dropout_rate=0.5,
    norm_cfg=dict(type='BN1d'))
model = dict(
    type='mmgh.AlternatingMCDClassifier',
    neck=dict(_delete_=True, type='GlobalAveragePooling'),
    head=dict(_delete_=True, **classifier),
    uda_head=dict(
        type='mmgh.MCDHead',
        classifier=classifier,
        loss_weight=10.,
        balance_weight=0.01),
    domain_forward='joint')
model_wrapper_cfg = dict(
    type='mmgh.OwnStepDistributedDataParallel', broadcast_buffers=False)

optim_wrapper = dict(
    constructor='mmgh.MCDOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper',
        optimizer=dict(type='SGD', lr=0.001, weight_decay=5e-4)),
    classifier=dict(
        type='OptimWrapper',
        optimizer=dict(
            type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4)))
param_scheduler = None

train_cfg = dict(by_epoch=False, max_iters=10000, val_interval=500)
val_cfg = dict()
test_cfg = dict()
