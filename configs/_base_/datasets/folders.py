# Two folders of your own, each <folder>/<class>/<image>.
_base_ = 'imagenet_224.py'

train_dataloader = dict(
    dataset=dict(
        source=dict(
            type='CustomDataset',
            data_root='data/mine/source',
            pipeline=_base_.train_pipeline),
        target=dict(
            type='CustomDataset',
            data_root='data/mine/target',
            pipeline=_base_.train_pipeline)))
test_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        data_root='data/mine/target',
        pipeline=_base_.test_pipeline))
val_dataloader = test_dataloader
