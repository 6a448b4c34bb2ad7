_base_ = 'dann_resnet18_folders.py'

model = dict(uda_head=dict(type='mmgh.CDANHead', entropy='reversed'))
