_base_ = [
    'cdan-e_resnet50_1xb36-8k_office31-amazon2webcam.py',
    '../_base_/harmonizers/ghpp_published.py',
]

optim_wrapper = {{_base_.ghpp_published}}
