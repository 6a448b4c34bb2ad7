_base_ = 'cdan-e_resnet50_1xb36-8k_office-home-art2clipart.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
