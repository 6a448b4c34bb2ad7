# As in the published code of GH and GVB: how new layers begin.
_base_ = 'resnet50.py'

kaiming = dict(
    type='Kaiming', layer='Linear', mode='fan_in', distribution='normal')
model = dict(
    neck=[
        _base_.model.neck[0],
        dict(_base_.model.neck[1], init_cfg=kaiming),
    ],
    head=dict(init_cfg=kaiming))
