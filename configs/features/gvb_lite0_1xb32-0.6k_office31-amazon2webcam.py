_base_ = '../_base_/methods/features.py'

model = dict(
    type='mmgh.UDAClassifier',
    head=dict(type='mmgh.BridgeClsHead'),
    uda_head=dict(
        type='mmgh.GVBHead',
        discriminator=dict(hidden_channels=256),
        reversal=dict(warmup_iters=600)),
    domain_forward='joint')
