# GVB-GD as in its published code, on any photographs: there is no bottleneck.
_base_ = [
    '../models/resnet50.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    neck=[dict(type='GlobalAveragePooling')],
    head=dict(type='mmgh.BridgeClsHead', in_channels=2048),
    uda_head=dict(
        type='mmgh.GVBHead', reversal=dict(counts_first=True)))
