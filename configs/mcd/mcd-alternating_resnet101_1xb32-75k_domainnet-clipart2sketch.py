_base_ = [
    '../_base_/methods/mcd_alternating.py',
    '../_base_/datasets/domainnet_clipart2sketch.py',
]

# On DomainNet TLlib uses ResNet-101.
model = dict(
    backbone=dict(
        depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')),
    head=dict(num_classes=345),
    uda_head=dict(classifier=dict(num_classes=345), loss_weight=120.))
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_iters=75000, val_interval=2500)
