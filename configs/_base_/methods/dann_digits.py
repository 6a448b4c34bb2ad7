# DANN as in TLlib, on digits of 28 x 28 pixels and from random weights.
_base_ = ['../schedules/sgd_inv_20k.py', '../default_runtime.py']

model = dict(
    type='mmgh.UDAClassifier',
    backbone=dict(type='mmgh.DigitsLeNet', hidden_channels=500),
    neck=dict(
        type='mmgh.Bottleneck',
        in_channels=500,
        out_channels=256,
        norm_act=True),
    head=dict(type='LinearClsHead', in_channels=256, num_classes=10),
    uda_head=dict(
        type='mmgh.DANNHead',
        discriminator=dict(batch_norm=True, dropout=0.),
        reversal=dict(alpha=1., warmup_iters=1000)),
    domain_forward='joint')

# Without a pretrained backbone all layers learn at the same rate.
optim_wrapper = dict(paramwise_cfg=None)
train_cfg = dict(max_iters=50000, val_interval=2500)
