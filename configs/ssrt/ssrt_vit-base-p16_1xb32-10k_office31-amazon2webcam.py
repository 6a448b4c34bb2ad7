_base_ = [
    '../_base_/methods/ssrt.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]

model = dict(perturbation=0.2)

# The checkpoint was trained with these.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
train_dataloader = dict(batch_size=32)

optim_wrapper = dict(optimizer=dict(lr=0.001))
train_cfg = dict(max_iters=10000)
