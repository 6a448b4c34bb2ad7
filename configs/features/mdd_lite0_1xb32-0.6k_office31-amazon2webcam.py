_base_ = '../_base_/methods/features.py'

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type='mmgh.MDDHead',
        margin=4.,
        hidden_channels=256,
        reversal=dict(alpha=10., warmup_iters=600, max_coefficient=0.1),
        init_cfg=_base_.xavier),
    domain_forward='joint')
