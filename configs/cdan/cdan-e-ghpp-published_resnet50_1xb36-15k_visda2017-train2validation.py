_base_ = [
    'cdan-e_resnet50_1xb36-15k_visda2017-train2validation.py',
    '../_base_/harmonizers/ghpp_published.py',
]

optim_wrapper = {{_base_.ghpp_published}}
