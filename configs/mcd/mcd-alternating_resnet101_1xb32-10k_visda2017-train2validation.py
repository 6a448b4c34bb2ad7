_base_ = [
    '../_base_/methods/mcd_alternating.py',
    '../_base_/datasets/visda2017_train2validation.py',
]

# On VisDA-2017 TLlib uses ResNet-101, as most papers do.
model = dict(
    backbone=dict(
        depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')),
    head=dict(num_classes=12),
    uda_head=dict(classifier=dict(num_classes=12), loss_weight=1.))
train_dataloader = dict(batch_size=32)
