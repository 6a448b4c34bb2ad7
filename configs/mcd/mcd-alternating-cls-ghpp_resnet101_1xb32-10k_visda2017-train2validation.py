_base_ = [
    'mcd-alternating-cls_resnet101_1xb32-10k_visda2017-train2validation.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
