model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmgh.DigitsLeNet',
        channels=(16, 32),
        batch_norm=True,
        dropout=0.),
    head=dict(type='LinearClsHead', in_channels=512, num_classes=10))
