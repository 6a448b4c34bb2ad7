# MNIST -> USPS with little data: the source is four fifths of MNIST's 10000
# test images.
_base_ = 'mnist2usps.py'

train_dataloader = dict(
    dataset=dict(
        source=dict(
            _delete_=True,
            type='KFoldDataset',
            fold=0,
            num_splits=5,
            seed=0,
            dataset=dict(
                type='MNIST',
                download=False,
                data_root='data/mnist',
                # Without `test_mode` mmpretrain reads the training images.
                split='test',
                test_mode=True,
                pipeline=_base_.pipeline))))
