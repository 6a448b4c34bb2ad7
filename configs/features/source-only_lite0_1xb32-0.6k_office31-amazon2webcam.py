"""Source only: no adaptation, which all methods are compared with."""
_base_ = '../_base_/methods/features.py'

# One domain: the source of the pair, and nothing of the target.
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmgh.FeatureFolder',
        data_root=_base_.data_root,
        domain='amazon',
        pipeline=_base_.train_pipeline),
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True))
