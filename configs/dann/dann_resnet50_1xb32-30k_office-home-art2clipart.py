_base_ = [
    '../_base_/methods/dann_tllib.py',
    '../_base_/datasets/office_home_art2clipart.py',
]

model = dict(head=dict(num_classes=65))
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_iters=30000)
