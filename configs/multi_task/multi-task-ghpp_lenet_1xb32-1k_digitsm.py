_base_ = [
    'multi-task_lenet_1xb32-1k_digitsm.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
