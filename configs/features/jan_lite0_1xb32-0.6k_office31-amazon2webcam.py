_base_ = '../_base_/methods/features.py'

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(type='mmgh.JANHead'),
    domain_forward='joint')
