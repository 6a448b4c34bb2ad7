# DWL with the optimiser, the schedule and the factors of its published code,
# on any photographs. There each iteration alternates inner loops of 8, 1, 8
# and 1 steps, for which our one-step form has no counterpart; its network is
# that of our other recipes.
_base_ = ['../models/resnet50.py', '../default_runtime.py']

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type='mmgh.DWLHead',
        epoch_iters=100,
        discrepancy_weight=1.,
        loss_weight=0.2))

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=5e-4))
param_scheduler = None

train_cfg = dict(by_epoch=False, max_iters=20000, val_interval=500)
val_cfg = dict()
test_cfg = dict()
