# AFN with bottleneck and schedule as in TLlib, on any photographs.
_base_ = [
    '../models/resnet50_norm_act.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    neck=[
        _base_.model.neck[0],
        dict(_base_.model.neck[1], out_channels=1000, dropout=0.5),
    ],
    head=dict(in_channels=1000),
    uda_head=dict(type='mmgh.AFNHead', entropy_weight=0.1))

# All published rates are 0.001, but the backbone has no momentum there, which
# is a tenth of the steps.
optim_wrapper = dict(
    optimizer=dict(lr=1e-4, weight_decay=5e-4, nesterov=False))
param_scheduler = dict(gamma=0.)  # constant rates
train_cfg = dict(max_iters=10000)
