# MCD in one step, on any photographs. It has no published recipe: that of
# CDAN, with the weight that the published code of MCD uses on Office-31.
_base_ = [
    '../models/resnet50.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(type='mmgh.MCDHead', loss_weight=10., balance_weight=0.01))
