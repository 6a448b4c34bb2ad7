_base_ = 'resnet50.py'

model = dict(
    backbone=dict(depth=18, init_cfg=dict(checkpoint='torchvision://resnet18')),
    neck=[
        dict(type='GlobalAveragePooling'),
        dict(type='mmgh.Bottleneck', in_channels=512, out_channels=256),
    ])
