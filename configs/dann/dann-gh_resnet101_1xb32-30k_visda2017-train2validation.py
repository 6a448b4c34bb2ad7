_base_ = [
    'dann_resnet101_1xb32-30k_visda2017-train2validation.py',
    '../_base_/harmonizers/gh.py',
]

optim_wrapper = {{_base_.gh}}
