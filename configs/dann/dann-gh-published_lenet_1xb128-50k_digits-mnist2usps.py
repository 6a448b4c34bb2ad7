_base_ = [
    'dann_lenet_1xb128-50k_digits-mnist2usps.py',
    '../_base_/harmonizers/gh_published.py',
]

optim_wrapper = {{_base_.gh_published}}
