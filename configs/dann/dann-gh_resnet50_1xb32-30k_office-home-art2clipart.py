_base_ = [
    'dann_resnet50_1xb32-30k_office-home-art2clipart.py',
    '../_base_/harmonizers/gh.py',
]

optim_wrapper = {{_base_.gh}}
