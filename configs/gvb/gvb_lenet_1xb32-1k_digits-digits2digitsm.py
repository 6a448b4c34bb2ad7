_base_ = [
    '../_base_/models/digits_lenet.py',
    '../_base_/datasets/digits2digitsm.py',
    '../_base_/schedules/digits_1k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    head=dict(
        type='mmgh.BridgeClsHead',
        init_cfg=dict(type='Normal', layer='Linear', std=0.01)),
    uda_head=dict(
        type='mmgh.GVBHead',
        # Soon and strong, before the predictions are certain: certain ones
        # say little of their domain.
        discriminator=dict(hidden_channels=256, dropout=0.),
        reversal=dict(warmup_iters=100),
        entropy='detached',
        loss_weight=3.))
