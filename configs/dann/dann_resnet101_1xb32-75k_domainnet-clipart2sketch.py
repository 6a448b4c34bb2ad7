_base_ = [
    '../_base_/methods/dann_tllib.py',
    '../_base_/datasets/domainnet_clipart2sketch.py',
]

# On DomainNet TLlib uses ResNet-101 and a wide bottleneck.
model = dict(
    backbone=dict(
        depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')),
    neck=[
        dict(type='GlobalAveragePooling'),
        dict(
            type='mmgh.Bottleneck',
            in_channels=2048,
            out_channels=1024,
            norm_act=True),
    ],
    head=dict(in_channels=1024, num_classes=345))
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_iters=75000, val_interval=2500)
