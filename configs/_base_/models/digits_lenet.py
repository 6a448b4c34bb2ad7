model = dict(
    type='ImageClassifier',
    backbone=dict(type='mmgh.DigitsLeNet'),
    neck=dict(
        type='mmgh.Bottleneck',
        in_channels=800,
        out_channels=256,
        norm_act=True,
        dropout=0.5),
    head=dict(type='LinearClsHead', in_channels=256, num_classes=10))
