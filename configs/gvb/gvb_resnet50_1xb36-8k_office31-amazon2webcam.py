_base_ = [
    '../_base_/methods/gvb.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]

# Crops are not resized, as in the published code.
train_dataloader = dict(
    dataset=dict(
        source=dict(pipeline=_base_.crop_pipeline),
        target=dict(pipeline=_base_.crop_pipeline)))

# 0.001 is for W2A, D2A and Office-Home.
optim_wrapper = dict(optimizer=dict(lr=0.0003))
