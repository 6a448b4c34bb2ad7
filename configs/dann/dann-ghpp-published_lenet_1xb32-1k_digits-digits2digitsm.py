_base_ = [
    'dann_lenet_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/ghpp_published.py',
]

optim_wrapper = {{_base_.ghpp_published}}
