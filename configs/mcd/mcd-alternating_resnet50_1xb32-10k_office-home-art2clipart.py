_base_ = [
    '../_base_/methods/mcd_alternating.py',
    '../_base_/datasets/office_home_art2clipart.py',
]

model = dict(
    head=dict(num_classes=65),
    uda_head=dict(classifier=dict(num_classes=65), loss_weight=30.))
train_dataloader = dict(batch_size=32)
