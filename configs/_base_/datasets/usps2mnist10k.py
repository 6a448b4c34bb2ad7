# USPS -> MNIST with little data: of MNIST's 10000 test images, the first 8000
# for training without labels and the last 2000 for testing.
_base_ = 'usps2mnist.py'

train_dataloader = dict(
    dataset=dict(target=dict(split='test', test_mode=True, indices=8000)))
test_dataloader = dict(dataset=dict(indices=-2000))
val_dataloader = test_dataloader
