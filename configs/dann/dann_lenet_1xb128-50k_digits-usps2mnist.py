_base_ = [
    '../_base_/methods/dann_digits.py',
    '../_base_/datasets/usps2mnist.py',
]

train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=0.1))
