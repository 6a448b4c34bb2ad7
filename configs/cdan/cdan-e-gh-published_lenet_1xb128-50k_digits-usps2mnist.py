_base_ = [
    'cdan-e_lenet_1xb128-50k_digits-usps2mnist.py',
    '../_base_/harmonizers/gh_published.py',
]

optim_wrapper = {{_base_.gh_published}}
