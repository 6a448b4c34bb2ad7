_base_ = 'dann_lenet_1xb128-50k_digits-usps2mnist.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
