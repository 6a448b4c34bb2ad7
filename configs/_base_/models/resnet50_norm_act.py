# As in TLlib: batch normalisation and ReLU behind the bottleneck.
_base_ = 'resnet50.py'

model = dict(
    neck=[
        _base_.model.neck[0],
        dict(_base_.model.neck[1], norm_act=True),
    ])
