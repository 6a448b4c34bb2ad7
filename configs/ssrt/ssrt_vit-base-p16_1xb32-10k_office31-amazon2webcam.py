_base_ = [
    '../_base_/models/vit-base-p16.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='mmgh.SSRTClassifier',
    # One batch norm for both domains, as in the published code.
    domain_forward='joint',
    perturbation=0.2,
    uda_head=dict(
        type='mmgh.DANNHead',
        loss_weight=2,
        reversal=dict(alpha=1, warmup_iters=1000, max_coefficient=0.1)))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='mmgh.SafeTrainingHook', interval=1000),
]

# The checkpoint was trained with these.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
train_dataloader = dict(batch_size=32)

optim_wrapper = dict(
    optimizer=dict(lr=0.001, weight_decay=5e-4),
    paramwise_cfg=dict(
        custom_keys=dict(
            _delete_=True, backbone=dict(lr_mult=0.1))))
train_cfg = dict(max_iters=10000)
