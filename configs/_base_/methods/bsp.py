# DANN + BSP as in TLlib, on any photographs.
_base_ = [
    '../models/resnet50_norm_act.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type='mmgh.BSPHead',
        loss_weight=2e-4,
        adversary=dict(
            type='mmgh.DANNHead',
            discriminator=dict(batch_norm=True, dropout=0.),
            reversal=dict(alpha=1., warmup_iters=1000))),
    domain_forward='joint')

# 0.003 for new layers, a tenth for the backbone.
optim_wrapper = dict(optimizer=dict(lr=0.0003))
train_cfg = dict(max_iters=20000)
