_base_ = ['dann_resnet18_folders.py', '../_base_/harmonizers/gh.py']

optim_wrapper = {{_base_.gh}}
