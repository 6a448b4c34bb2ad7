# SSRT as in its published code, on any photographs.
_base_ = [
    '../models/vit-base-p16.py',
    '../schedules/sgd_inv_8k.py',
    '../default_runtime.py',
]

model = dict(
    type='mmgh.SSRTClassifier',
    # One batch norm for both domains, as in the published code.
    domain_forward='joint',
    perturbation=0.3,
    uda_head=dict(
        type='mmgh.DANNHead',
        loss_weight=2,
        reversal=dict(alpha=1, warmup_iters=1000, max_coefficient=0.1)))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='mmgh.SafeTrainingHook', interval=1000),
]

optim_wrapper = dict(
    optimizer=dict(weight_decay=5e-4),
    paramwise_cfg=dict(
        custom_keys=dict(
            _delete_=True, backbone=dict(lr_mult=0.1))))
