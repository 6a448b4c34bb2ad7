# For layers behind frozen features: all learn at one rate, from the start.
max_iters = 600
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-3, nesterov=True))
# It ends at 11 ** -0.75 of the rate, a sixth.
param_scheduler = dict(
    type='mmgh.InverseDecayLR', gamma=10 / max_iters, by_epoch=False)

train_cfg = dict(by_epoch=False, max_iters=max_iters, val_interval=max_iters)
val_cfg = dict()
test_cfg = dict()
