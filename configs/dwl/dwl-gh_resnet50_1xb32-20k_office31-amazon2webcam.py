_base_ = [
    'dwl_resnet50_1xb32-20k_office31-amazon2webcam.py',
    '../_base_/harmonizers/gh.py',
]

optim_wrapper = {{_base_.gh}}
