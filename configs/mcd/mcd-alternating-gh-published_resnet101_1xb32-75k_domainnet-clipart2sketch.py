_base_ = [
    'mcd-alternating_resnet101_1xb32-75k_domainnet-clipart2sketch.py',
    '../_base_/harmonizers/gh_published.py',
]

# Compared on the features, at the step of the classifiers.
model = dict(harmonized_step='B')
optim_wrapper = {{_base_.gh_published}}
