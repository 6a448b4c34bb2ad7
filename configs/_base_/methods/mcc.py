# MCC as in TLlib, on any photographs.
_base_ = [
    '../models/resnet50_norm_act.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    neck=[
        _base_.model.neck[0],
        dict(_base_.model.neck[1], out_channels=1024),
    ],
    head=dict(in_channels=1024),
    uda_head=dict(type='mmgh.MCCHead'),
    domain_forward='joint')

# 0.005 for new layers, a tenth for the backbone.
optim_wrapper = dict(optimizer=dict(lr=0.0005))
train_cfg = dict(max_iters=10000)
