_base_ = 'cdan_resnet101_1xb32-30k_visda2017-train2validation.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
