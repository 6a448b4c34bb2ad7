_base_ = [
    '../_base_/models/digits_lenet.py',
    '../_base_/datasets/digits2digitsm.py',
    '../_base_/schedules/digits_1k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(type='mmgh.BNMHead'),
    domain_forward='joint')
