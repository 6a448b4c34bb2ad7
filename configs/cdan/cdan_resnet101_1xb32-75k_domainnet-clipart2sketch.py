_base_ = [
    '../_base_/methods/cdan_tllib.py',
    '../_base_/datasets/domainnet_clipart2sketch.py',
]

# On DomainNet TLlib uses ResNet-101 and a wide bottleneck.
model = dict(
    backbone=dict(
        depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')),
    neck=[
        _base_.model.neck[0],
        dict(_base_.model.neck[1], out_channels=1024),
    ],
    head=dict(in_channels=1024, num_classes=345),
    # The exact map has 353280 entries.
    uda_head=dict(
        multilinear_map=dict(randomized=True, random_dim=51200)))
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_iters=75000, val_interval=2500)
