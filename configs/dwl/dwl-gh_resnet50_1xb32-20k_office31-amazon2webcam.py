_base_ = 'dwl_resnet50_1xb32-20k_office31-amazon2webcam.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper',
    harmonizer=dict(type='mmgh.GH'),
    pairs=[('alignment', 'discrepancy')])
