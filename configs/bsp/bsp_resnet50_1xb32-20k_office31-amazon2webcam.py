_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

bottleneck = dict(
    type='mmgh.Bottleneck',
    in_channels=2048,
    out_channels=256,
    norm_act=True)
model = dict(
    type='mmgh.UDAClassifier',
    neck=[dict(type='GlobalAveragePooling'), bottleneck],
    uda_head=dict(
        type='mmgh.BSPHead',
        loss_weight=2e-4,
        adversary=dict(
            type='mmgh.DANNHead',
            discriminator=dict(batch_norm=True, dropout=0.),
            reversal=dict(alpha=1., warmup_iters=1000))),
    domain_forward='joint')

# As in TLlib: 0.003 for new layers, a tenth for the backbone.
optim_wrapper = dict(optimizer=dict(lr=0.0003))
train_dataloader = dict(batch_size=32)
train_cfg = dict(max_iters=20000)
