_base_ = 'dann_lenet_1xb128-50k_digits-mnist2usps.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
