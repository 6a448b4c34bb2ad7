_base_ = [
    'ssrt_vit-tiny_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/gh_published.py',
]

model = dict(teacher_gradient=True)
# Compared on the transformer alone.
optim_wrapper = dict(_base_.gh_published, shared=['backbone'])
