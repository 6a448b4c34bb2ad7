# USPS -> MNIST with little data, validated on both domains, see
# digits2digitsm.py. The source images are USPS's test images.
_base_ = ['../datasets/usps2mnist10k.py', 'both_domains.py']

val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmgh.DomainConcatDataset',
        source={
            **_base_.train_dataloader.dataset.source, 'split': 'test'
        },
        target=_base_.test_dataloader.dataset))
val_evaluator = _base_.validators
