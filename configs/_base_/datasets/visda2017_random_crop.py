# VisDA-2017 with random crops for training, as in recipes that treat it like
# all other photographs.
_base_ = 'visda2017_train2validation.py'

train_dataloader = dict(
    dataset=dict(
        source=dict(pipeline=_base_.train_pipeline),
        target=dict(pipeline=_base_.train_pipeline)))
