_base_ = 'cdan_resnet101_1xb32-75k_domainnet-clipart2sketch.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
