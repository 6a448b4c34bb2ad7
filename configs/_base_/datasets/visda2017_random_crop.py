# VisDA-2017 with random crops for training, as in recipes that treat it like
# all other photographs.
_base_ = 'visda2017_train2validation.py'

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type='RandomResizedCrop', scale=224),
    *_base_.train_pipeline[3:],
]
train_dataloader = dict(
    dataset=dict(
        source=dict(pipeline=train_pipeline),
        target=dict(pipeline=train_pipeline)))
