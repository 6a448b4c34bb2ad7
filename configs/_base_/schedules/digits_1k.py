optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = dict(type='mmgh.InverseDecayLR', by_epoch=False)

train_cfg = dict(by_epoch=False, max_iters=1000, val_interval=100)
val_cfg = dict()
test_cfg = dict()
