_base_ = 'mcd-alternating-cls_resnet101_1xb32-75k_domainnet-clipart2sketch.py'

optim_wrapper = dict(
    generator=dict(
        type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus')))
