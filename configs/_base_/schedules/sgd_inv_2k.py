# Short, for data of one's own. All that depends on its length does: with other
# iterations change `gamma`, too, and the warm-up of a gradient reversal.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-3, nesterov=True),
    # A pretrained backbone learns at a tenth of the rate of new layers.
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))
# It ends at 11 ** -0.75 of the rate, a sixth.
param_scheduler = dict(
    type='mmgh.InverseDecayLR', gamma=10 / 2000, by_epoch=False)

train_cfg = dict(by_epoch=False, max_iters=2000, val_interval=200)
val_cfg = dict()
test_cfg = dict()
