_base_ = [
    'ssrt_vit-base-p16_1xb32-40k_domainnet-clipart2sketch.py',
    '../_base_/harmonizers/gh.py',
]

optim_wrapper = {{_base_.gh}}
