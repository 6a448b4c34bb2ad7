# As in the published code of CDAN, GVB and GH.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=0.001, momentum=0.9, weight_decay=1e-3, nesterov=True),
    # New layers learn ten times as fast as the pretrained backbone. `head`
    # is also in `uda_head`.
    paramwise_cfg=dict(
        custom_keys=dict(neck=dict(lr_mult=10), head=dict(lr_mult=10))))
param_scheduler = dict(type='mmgh.InverseDecayLR', by_epoch=False)

train_cfg = dict(by_epoch=False, max_iters=8004, val_interval=500)
val_cfg = dict()
test_cfg = dict()
