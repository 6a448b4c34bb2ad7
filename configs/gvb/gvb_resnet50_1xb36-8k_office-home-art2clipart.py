_base_ = [
    '../_base_/methods/gvb.py',
    '../_base_/datasets/office_home_art2clipart.py',
]

# Crops are not resized, as in the published code.
train_dataloader = dict(
    dataset=dict(
        source=dict(pipeline=_base_.crop_pipeline),
        target=dict(pipeline=_base_.crop_pipeline)))

model = dict(head=dict(num_classes=65))
