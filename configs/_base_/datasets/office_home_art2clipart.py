# Office-Home in its published layout: <data_root>/<domain>/<class>/.
# Domains: Art, Clipart, Product, Real World.
_base_ = 'imagenet_224_pillow.py'

data_root = 'data/office_home'
data_preprocessor = dict(num_classes=65)
train_dataloader = dict(
    dataset=dict(
        source=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='Art',
            pipeline=_base_.train_pipeline),
        target=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='Clipart',
            pipeline=_base_.train_pipeline)))
test_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='Clipart',
        pipeline=_base_.test_pipeline))
val_dataloader = test_dataloader
