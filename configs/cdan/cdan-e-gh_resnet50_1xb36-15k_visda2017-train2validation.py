_base_ = 'cdan-e_resnet50_1xb36-15k_visda2017-train2validation.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
