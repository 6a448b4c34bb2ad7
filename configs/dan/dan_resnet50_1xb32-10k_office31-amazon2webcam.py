_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

# Batch and schedule as in TLlib; its bottleneck has no batch normalisation.
model = dict(
    type='mmgh.UDAClassifier',
    neck=[
        dict(type='GlobalAveragePooling'),
        dict(
            type='mmgh.Bottleneck',
            in_channels=2048,
            out_channels=256,
            norm_act=True,
            dropout=0.5),
    ],
    uda_head=dict(type='mmgh.DANHead', linear=True))
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=3e-4, weight_decay=5e-4))
param_scheduler = dict(gamma=3e-4)
train_cfg = dict(max_iters=10000)
