# DAN with the schedule of TLlib, on any photographs; its bottleneck has no
# batch normalisation.
_base_ = [
    '../models/resnet50_norm_act.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    neck=[
        _base_.model.neck[0],
        dict(_base_.model.neck[1], dropout=0.5),
    ],
    uda_head=dict(type='mmgh.DANHead', linear=True))

optim_wrapper = dict(optimizer=dict(lr=3e-4, weight_decay=5e-4))
param_scheduler = dict(gamma=3e-4)
train_cfg = dict(max_iters=10000)
