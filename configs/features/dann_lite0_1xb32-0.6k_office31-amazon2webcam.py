_base_ = '../_base_/methods/features.py'

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type='mmgh.DANNHead',
        discriminator=dict(hidden_channels=256),
        reversal=dict(warmup_iters=600)),
    domain_forward='joint')
