_base_ = [
    'mcd-alternating-cls_resnet50_1xb32-10k_office31-amazon2webcam.py',
    '../_base_/harmonizers/ghpp.py',
]

optim_wrapper = {{_base_.ghpp}}
