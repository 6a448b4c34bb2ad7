# A vision transformer small enough to be trained from scratch on a CPU.
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch=dict(
            embed_dims=64,
            num_layers=4,
            num_heads=4,
            feedforward_channels=128),
        img_size=28,
        patch_size=7),
    head=dict(type='LinearClsHead', in_channels=64, num_classes=10))
