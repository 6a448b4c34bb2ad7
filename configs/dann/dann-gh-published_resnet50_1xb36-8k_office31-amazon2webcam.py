_base_ = [
    'dann_resnet50_1xb36-8k_office31-amazon2webcam.py',
    '../_base_/harmonizers/gh_published.py',
]

optim_wrapper = {{_base_.gh_published}}
