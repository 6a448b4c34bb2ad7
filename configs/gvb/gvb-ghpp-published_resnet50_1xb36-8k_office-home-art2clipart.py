_base_ = [
    'gvb_resnet50_1xb36-8k_office-home-art2clipart.py',
    '../_base_/harmonizers/ghpp_published.py',
]

# The bridges are compared on all of these, with zeros where a loss does not
# reach.
optim_wrapper = dict(_base_.ghpp_published, shared=['backbone', 'head'])
