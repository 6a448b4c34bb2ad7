_base_ = 'dann_resnet101_1xb32-75k_domainnet-clipart2sketch.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
