# As in TLlib.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-3, nesterov=True),
    # A pretrained backbone learns at a tenth of the rate of new layers.
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))
param_scheduler = dict(type='mmgh.InverseDecayLR', by_epoch=False)

train_cfg = dict(by_epoch=False, max_iters=20000, val_interval=1000)
val_cfg = dict()
test_cfg = dict()
