_base_ = [
    'cdan-e_resnet50_1xb36-8k_office-home-art2clipart.py',
    '../_base_/harmonizers/gh_published.py',
]

optim_wrapper = {{_base_.gh_published}}
