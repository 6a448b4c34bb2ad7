_base_ = [
    'mcd-alternating_lenet_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/gh_published.py',
]

# Compared on the features, at the step of the classifiers.
model = dict(harmonized_step='B')
optim_wrapper = {{_base_.gh_published}}
