_base_ = [
    '../_base_/methods/dwl.py',
    '../_base_/datasets/visda2017_train2validation.py',
]

# The published figures on VisDA-2017 are of ResNet-101.
model = dict(
    backbone=dict(
        depth=101, init_cfg=dict(checkpoint='torchvision://resnet101')),
    head=dict(num_classes=12))
train_dataloader = dict(batch_size=32)
