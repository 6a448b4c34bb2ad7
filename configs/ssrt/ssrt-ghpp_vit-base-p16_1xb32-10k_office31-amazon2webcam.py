_base_ = 'ssrt_vit-base-p16_1xb32-10k_office31-amazon2webcam.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
