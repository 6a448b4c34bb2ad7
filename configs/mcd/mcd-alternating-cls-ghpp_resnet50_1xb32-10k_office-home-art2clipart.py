_base_ = 'mcd-alternating-cls_resnet50_1xb32-10k_office-home-art2clipart.py'

optim_wrapper = dict(
    generator=dict(
        type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus')))
