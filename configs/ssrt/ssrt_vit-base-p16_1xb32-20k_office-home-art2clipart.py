_base_ = [
    '../_base_/methods/ssrt.py',
    '../_base_/datasets/office_home_art2clipart.py',
]

# A wide bottleneck, as in the published code.
model = dict(
    neck=dict(out_channels=2048),
    head=dict(in_channels=2048, num_classes=65))

# The checkpoint was trained with these.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
train_dataloader = dict(batch_size=32)

optim_wrapper = dict(optimizer=dict(lr=0.004))
train_cfg = dict(max_iters=20000)
