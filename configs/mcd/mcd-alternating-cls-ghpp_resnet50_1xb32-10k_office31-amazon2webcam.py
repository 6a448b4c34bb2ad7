_base_ = 'mcd-alternating-cls_resnet50_1xb32-10k_office31-amazon2webcam.py'

optim_wrapper = dict(
    generator=dict(
        type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus')))
