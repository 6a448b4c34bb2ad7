"""Source only: no adaptation, which all methods are compared with."""
_base_ = [
    '../_base_/models/digits_lenet.py',
    '../_base_/datasets/digits2digitsm.py',
    '../_base_/schedules/digits_1k.py',
    '../_base_/default_runtime.py',
]

# One domain: the source of the pair, and nothing of the target.
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmgh.Digits',
        split='train',
        pipeline=_base_.train_pipeline),
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True))
