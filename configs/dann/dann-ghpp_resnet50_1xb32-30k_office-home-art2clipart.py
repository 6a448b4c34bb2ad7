_base_ = 'dann_resnet50_1xb32-30k_office-home-art2clipart.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
