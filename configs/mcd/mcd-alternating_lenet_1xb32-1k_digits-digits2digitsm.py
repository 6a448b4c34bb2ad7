_base_ = [
    '../_base_/models/digits_lenet.py',
    '../_base_/datasets/digits2digitsm.py',
    '../_base_/schedules/digits_1k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='mmgh.AlternatingMCDClassifier', uda_head=dict(type='mmgh.MCDHead'))
model_wrapper_cfg = dict(
    type='mmgh.OwnStepDistributedDataParallel', broadcast_buffers=False)

optim_wrapper = dict(
    _delete_=True,
    constructor='mmgh.MCDOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3)),
    classifier=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3)))
