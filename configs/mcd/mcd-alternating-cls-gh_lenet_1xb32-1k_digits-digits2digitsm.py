_base_ = 'mcd-alternating-cls_lenet_1xb32-1k_digits-digits2digitsm.py'

optim_wrapper = dict(
    generator=dict(
        type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH')))
