_base_ = [
    'dann_resnet101_1xb32-75k_domainnet-clipart2sketch.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
