_base_ = ['dann_resnet18_folders.py', '../_base_/harmonizers/ghpp.py']

optim_wrapper = {{_base_.ghpp}}
