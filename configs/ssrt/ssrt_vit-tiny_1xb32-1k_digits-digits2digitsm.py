_base_ = [
    '../_base_/models/digits_vit.py',
    '../_base_/datasets/digits2digitsm.py',
    '../_base_/schedules/digits_1k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='mmgh.SSRTClassifier',
    # Without batch norm it makes no difference, and is faster.
    domain_forward='joint',
    perturbed_layers=(0, 1, 2),
    # From scratch, half of what it would teach itself is wrong.
    refinement_weight=0.05,
    uda_head=dict(
        type='mmgh.DANNHead',
        loss_weight=2,
        discriminator=dict(hidden_channels=256),
        reversal=dict(warmup_iters=1000, max_coefficient=0.15)))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='mmgh.SafeTrainingHook', interval=200, num_scales=3),
]
