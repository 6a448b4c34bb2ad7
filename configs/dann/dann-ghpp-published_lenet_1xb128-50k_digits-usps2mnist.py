_base_ = [
    'dann_lenet_1xb128-50k_digits-usps2mnist.py',
    '../_base_/harmonizers/ghpp_published.py',
]

optim_wrapper = {{_base_.ghpp_published}}
