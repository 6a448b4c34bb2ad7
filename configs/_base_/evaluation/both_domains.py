# All metrics that need no target labels, for a `val_dataloader` with both
# domains. Only what is named `oracle` looks at target labels, to tell how good
# a choice was; never choose by it.
validators = [
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
        metric=[dict(type='Accuracy'),
                dict(type='mmgh.MeanClassAccuracy')]),
]
