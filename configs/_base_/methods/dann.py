# DANN as in the published code of GH, on any photographs.
_base_ = [
    '../models/resnet50_kaiming.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type='mmgh.DANNHead',
        discriminator=dict(init_cfg=_base_.kaiming),
        reversal=dict(counts_first=True)))
