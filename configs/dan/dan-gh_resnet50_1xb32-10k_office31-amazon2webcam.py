_base_ = 'dan_resnet50_1xb32-10k_office31-amazon2webcam.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
