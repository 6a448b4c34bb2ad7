_base_ = [
    'mcd-alternating-cls_resnet101_1xb32-10k_visda2017-train2validation.py',
]

optim_wrapper = dict(
    generator=dict(
        type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus')))
