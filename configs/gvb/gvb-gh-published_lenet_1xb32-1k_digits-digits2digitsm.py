_base_ = [
    'gvb_lenet_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/gh_published.py',
]

# The bridges are compared on all of these, with zeros where a loss does not
# reach.
optim_wrapper = dict(_base_.gh_published, shared=['backbone', 'head'])
