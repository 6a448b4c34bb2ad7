_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

bottleneck = dict(
    type='mmgh.Bottleneck',
    in_channels=2048,
    out_channels=1024,
    norm_act=True,
    dropout=0.5)
model = dict(
    type='mmgh.UDAClassifier',
    neck=[dict(type='GlobalAveragePooling'), bottleneck],
    head=dict(in_channels=1024),
    uda_head=dict(type='mmgh.MDDHead', margin=4.),
    domain_forward='joint')

# As in the published code: 0.004 for new layers, a tenth for the backbone.
optim_wrapper = dict(optimizer=dict(lr=0.0004, weight_decay=5e-4))
param_scheduler = dict(gamma=0.0002)
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_iters=20000)
