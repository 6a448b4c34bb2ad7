_base_ = [
    'dann_resnet50_1xb32-20k_office31-amazon2webcam.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
