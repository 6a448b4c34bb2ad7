_base_ = 'multi-task_lenet_1xb32-1k_digitsm.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
