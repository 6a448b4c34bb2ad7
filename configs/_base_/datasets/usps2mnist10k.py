# USPS -> MNIST with little data: of MNIST's 10000 test images, four fifths
# for training without labels and the others for testing.
_base_ = 'usps2mnist.py'

train_images = dict(
    type='KFoldDataset',
    fold=0,
    num_splits=5,
    seed=0,
    dataset=_base_.test_images)
test_dataloader = dict(
    dataset=dict(_delete_=True, **train_images, test_mode=True))
train_dataloader = dict(
    dataset=dict(target=dict(_delete_=True, **train_images)))
val_dataloader = test_dataloader
