_base_ = 'cdan-e_dtn_1xb128-50k_digits-svhn2mnist.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
