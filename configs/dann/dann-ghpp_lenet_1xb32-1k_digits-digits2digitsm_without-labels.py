_base_ = [
    'dann_lenet_1xb32-1k_digits-digits2digitsm_without-labels.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
