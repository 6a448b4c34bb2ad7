_base_ = 'ssrt_vit-base-p16_1xb32-40k_domainnet-clipart2sketch.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
