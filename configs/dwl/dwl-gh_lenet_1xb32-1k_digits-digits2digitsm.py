_base_ = [
    'dwl_lenet_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/gh.py',
]

optim_wrapper = {{_base_.gh}}
