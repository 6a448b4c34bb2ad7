_base_ = [
    '../_base_/methods/cdan_digits.py',
    '../_base_/datasets/mnist2usps.py',
]

train_dataloader = dict(batch_size=128)
