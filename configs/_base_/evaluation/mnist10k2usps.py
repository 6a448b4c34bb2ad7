# MNIST -> USPS with little data, validated on both domains, see
# digits2digitsm.py. The source images are MNIST's last 2000 test images.
_base_ = ['../datasets/mnist10k2usps.py', 'both_domains.py']

val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmgh.DomainConcatDataset',
        source={
            **_base_.train_dataloader.dataset.source, 'indices': -2000
        },
        target=_base_.test_dataloader.dataset))
val_evaluator = _base_.validators
