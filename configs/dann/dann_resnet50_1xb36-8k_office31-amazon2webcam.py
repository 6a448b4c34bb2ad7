_base_ = [
    '../_base_/methods/dann.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]

# As in the published code: crops are resized of webcam and dslr alone.
train_dataloader = dict(
    dataset=dict(source=dict(pipeline=_base_.crop_pipeline)))
