_base_ = [
    'cdan-e_dtn_1xb128-50k_digits-svhn2mnist.py',
    '../_base_/harmonizers/ghpp_published.py',
]

optim_wrapper = {{_base_.ghpp_published}}
