# Digits -> DigitsM, validated on both domains: held-out source images, and the
# target images that are tested.
_base_ = ['../datasets/digits2digitsm.py', 'both_domains.py']

val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmgh.DomainConcatDataset',
        source=dict(
            type='mmgh.Digits',
            split='test',
            pipeline=_base_.test_pipeline),
        target=_base_.test_dataloader.dataset))
val_evaluator = _base_.validators
