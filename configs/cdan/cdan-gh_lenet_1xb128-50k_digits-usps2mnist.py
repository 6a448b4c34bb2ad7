_base_ = [
    'cdan_lenet_1xb128-50k_digits-usps2mnist.py',
    '../_base_/harmonizers/gh.py',
]

optim_wrapper = {{_base_.gh}}
