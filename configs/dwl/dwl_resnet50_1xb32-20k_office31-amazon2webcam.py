_base_ = [
    '../_base_/methods/dwl.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]

# The centre of the images, as in the published code.
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        source=dict(pipeline=_base_.center_pipeline),
        target=dict(pipeline=_base_.center_pipeline)))
