_base_ = [
    '../_base_/methods/dann_digits.py',
    '../_base_/datasets/mnist2usps.py',
]

train_dataloader = dict(batch_size=128)
