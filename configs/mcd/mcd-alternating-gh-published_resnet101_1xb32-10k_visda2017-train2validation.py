_base_ = [
    'mcd-alternating_resnet101_1xb32-10k_visda2017-train2validation.py',
    '../_base_/harmonizers/gh_published.py',
]

# Compared on the features, at the step of the classifiers.
model = dict(harmonized_step='B')
optim_wrapper = {{_base_.gh_published}}
