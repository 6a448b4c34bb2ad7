_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

# Bottleneck, batch and schedule as in TLlib.
model = dict(
    type='mmgh.UDAClassifier',
    neck=[
        dict(type='GlobalAveragePooling'),
        dict(
            type='mmgh.Bottleneck',
            in_channels=2048,
            out_channels=1000,
            norm_act=True,
            dropout=0.5),
    ],
    head=dict(in_channels=1000),
    uda_head=dict(type='mmgh.AFNHead', entropy_weight=0.1))
train_dataloader = dict(batch_size=32)
# All published rates are 0.001, but the backbone has no momentum there, which
# is a tenth of the steps.
optim_wrapper = dict(
    optimizer=dict(lr=1e-4, weight_decay=5e-4, nesterov=False))
param_scheduler = dict(gamma=0.)  # constant rates
train_cfg = dict(max_iters=10000)
