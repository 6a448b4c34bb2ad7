_base_ = [
    'ssrt_vit-tiny_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
