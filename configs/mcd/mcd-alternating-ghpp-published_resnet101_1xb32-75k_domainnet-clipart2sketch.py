_base_ = [
    'mcd-alternating_resnet101_1xb32-75k_domainnet-clipart2sketch.py',
    '../_base_/harmonizers/ghpp_published.py',
]

# Compared on the features, at the step of the classifiers.
# (The published script trains GH when it is asked for GH++.)
model = dict(harmonized_step='B')
optim_wrapper = {{_base_.ghpp_published}}
