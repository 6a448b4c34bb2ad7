_base_ = [
    'ssrt_vit-base-p16_1xb32-20k_visda2017-train2validation.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
