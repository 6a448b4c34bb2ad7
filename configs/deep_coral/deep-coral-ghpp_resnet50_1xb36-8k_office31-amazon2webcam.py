_base_ = 'deep-coral_resnet50_1xb36-8k_office31-amazon2webcam.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
