model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50')),
    neck=[
        dict(type='GlobalAveragePooling'),
        dict(type='mmgh.Bottleneck', in_channels=2048, out_channels=256),
    ],
    head=dict(type='LinearClsHead', in_channels=256, num_classes=31))
