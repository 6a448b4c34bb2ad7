_base_ = 'cdan_lenet_1xb32-1k_digits-digits2digitsm.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
