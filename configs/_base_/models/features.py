# What is trained on frozen features, here on the 1280 of EfficientNet-Lite0.
xavier = dict(type='Xavier', layer='Linear', distribution='normal')
model = dict(
    type='ImageClassifier',
    backbone=dict(type='mmgh.PassOn'),
    neck=dict(type='mmgh.Bottleneck', in_channels=1280, norm_act=True),
    head=dict(
        type='LinearClsHead',
        in_channels=256,
        num_classes=31,
        init_cfg=xavier))
