_base_ = [
    'ssrt_vit-base-p16_1xb32-20k_office-home-art2clipart.py',
    '../_base_/harmonizers/gh.py',
]

optim_wrapper = {{_base_.gh}}
