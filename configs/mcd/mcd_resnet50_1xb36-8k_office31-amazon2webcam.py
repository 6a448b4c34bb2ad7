_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

# The one-step form has no published recipe: that of CDAN, with the weight that
# the published code of MCD uses on Office-31.
model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(type='mmgh.MCDHead', loss_weight=10., balance_weight=0.01))
