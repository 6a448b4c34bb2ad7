_base_ = 'dann_lenet_1xb32-1k_digits-digits2digitsm_without-labels.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
