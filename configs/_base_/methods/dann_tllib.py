# DANN as in TLlib, on any photographs.
_base_ = [
    '../models/resnet50_norm_act.py',
    '../schedules/sgd_inv_20k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type='mmgh.DANNHead',
        discriminator=dict(batch_norm=True, dropout=0.),
        reversal=dict(alpha=1., warmup_iters=1000)),
    domain_forward='joint')
