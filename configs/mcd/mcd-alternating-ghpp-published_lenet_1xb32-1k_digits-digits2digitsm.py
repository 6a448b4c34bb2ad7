_base_ = [
    'mcd-alternating_lenet_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/ghpp_published.py',
]

# Compared on the features, at the step of the classifiers.
# (The published script trains GH when it is asked for GH++.)
model = dict(harmonized_step='B')
optim_wrapper = {{_base_.ghpp_published}}
