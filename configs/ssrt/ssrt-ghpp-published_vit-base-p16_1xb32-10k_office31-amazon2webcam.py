_base_ = [
    'ssrt_vit-base-p16_1xb32-10k_office31-amazon2webcam.py',
    '../_base_/harmonizers/ghpp_published.py',
]

model = dict(teacher_gradient=True)
# Compared on the transformer alone.
optim_wrapper = dict(_base_.ghpp_published, shared=['backbone'])
