# MDD with the schedule of TLlib, on any photographs.
_base_ = [
    '../models/resnet50_norm_act.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    neck=[
        _base_.model.neck[0],
        dict(_base_.model.neck[1], out_channels=1024, dropout=0.5),
    ],
    head=dict(in_channels=1024),
    uda_head=dict(type='mmgh.MDDHead', margin=4.),
    domain_forward='joint')

# As in the published code: 0.004 for new layers, a tenth for the backbone.
optim_wrapper = dict(optimizer=dict(lr=0.0004, weight_decay=5e-4))
param_scheduler = dict(gamma=0.0002)
train_cfg = dict(max_iters=20000)
