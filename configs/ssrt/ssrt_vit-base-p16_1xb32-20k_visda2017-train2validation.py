_base_ = [
    '../_base_/methods/ssrt.py',
    '../_base_/datasets/visda2017_random_crop.py',
]

# Random crops: the option for others has no effect in the published code.
model = dict(head=dict(num_classes=12))

# The checkpoint was trained with these.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
train_dataloader = dict(batch_size=32)

optim_wrapper = dict(optimizer=dict(lr=0.002))
train_cfg = dict(max_iters=20000)
