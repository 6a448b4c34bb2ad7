_base_ = [
    'ssrt_vit-base-p16_1xb32-40k_domainnet-clipart2sketch.py',
    '../_base_/harmonizers/gh_published.py',
]

model = dict(teacher_gradient=True)
# Compared on the transformer alone.
optim_wrapper = dict(_base_.gh_published, shared=['backbone'])
