"""Source only: no adaptation, which all methods are compared with."""
_base_ = 'dann_resnet18_folders.py'

model = dict(
    _delete_=True,
    type='ImageClassifier',
    backbone=_base_.model.backbone,
    neck=_base_.model.neck,
    head=_base_.model.head)
# One domain: the source of the pair, and nothing of the target.
train_dataloader = dict(
    dataset=dict(_delete_=True, **_base_.train_dataloader.dataset.source),
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True))
