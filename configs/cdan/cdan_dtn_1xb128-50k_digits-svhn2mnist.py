_base_ = [
    '../_base_/methods/cdan_digits.py',
    '../_base_/datasets/svhn2mnist.py',
]

# For images of 32 x 32 pixels.
model = dict(
    backbone=dict(_delete_=True, type='mmgh.DigitsDTN'),
    neck=dict(in_channels=512))
train_dataloader = dict(batch_size=128)
