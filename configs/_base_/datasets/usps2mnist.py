# USPS -> MNIST, see mnist2usps.py.
_base_ = 'mnist2usps.py'

mnist2usps = _base_.train_dataloader.dataset
train_dataloader = dict(
    dataset=dict(
        source=dict(_delete_=True, **mnist2usps.target),
        target=dict(_delete_=True, **mnist2usps.source)))
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MNIST',
        data_root='data/mnist',
        download=False,
        # Without `test_mode` mmpretrain reads the training images.
        split='test',
        test_mode=True,
        pipeline=_base_.pipeline))
val_dataloader = test_dataloader
