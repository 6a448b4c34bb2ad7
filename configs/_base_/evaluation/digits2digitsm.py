# Digits -> DigitsM, validated on both domains: held-out source images, and the
# target images that are tested, without their labels. Only what is named
# `oracle` looks at these, to tell how good a choice was; never choose by it.
_base_ = '../datasets/digits2digitsm.py'

val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmgh.DomainConcatDataset',
        source=dict(
            type='mmgh.Digits',
            split='test',
            pipeline=_base_.test_pipeline),
        target=_base_.test_dataloader.dataset))
val_evaluator = [
    dict(
        type='mmgh.UnsupervisedMetric',
        # `dev` needs `model.predict_features=True`.
        items=[
            'entropy', 'mutual_information', 'nuclear_norm', 'snd', 'dev'
        ]),
    dict(
        type='mmgh.DomainMetric',
        domain='source',
        metric=dict(type='Accuracy')),
    dict(
        type='mmgh.DomainMetric',
        domain='target',
        # `recall` is the mean of the accuracies of the classes. It counts a
        # class without images as 0.
        metric=[
            dict(type='Accuracy'),
            dict(type='SingleLabelMetric', items=['recall']),
        ]),
]
