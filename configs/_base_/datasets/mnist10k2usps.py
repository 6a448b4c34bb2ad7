# MNIST -> USPS with little data: the source is the first 8000 of MNIST's
# 10000 test images.
_base_ = 'mnist2usps.py'

train_dataloader = dict(
    dataset=dict(
        # Without `test_mode` mmpretrain reads the training images.
        source=dict(split='test', test_mode=True, indices=8000)))
