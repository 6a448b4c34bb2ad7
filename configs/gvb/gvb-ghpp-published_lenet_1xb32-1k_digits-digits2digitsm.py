_base_ = [
    'gvb_lenet_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/ghpp_published.py',
]

# The bridges are compared on all of these, with zeros where a loss does not
# reach.
optim_wrapper = dict(_base_.ghpp_published, shared=['backbone', 'head'])
