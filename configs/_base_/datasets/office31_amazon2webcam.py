# Office-31 in its published layout: <data_root>/<domain>/images/<class>/.
# Domains: amazon, dslr, webcam.
_base_ = 'imagenet_224_pillow.py'

data_root = 'data/office31'
data_preprocessor = dict(num_classes=31)
train_dataloader = dict(
    dataset=dict(
        source=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='amazon/images',
            pipeline=_base_.train_pipeline),
        target=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='webcam/images',
            pipeline=_base_.train_pipeline)))
test_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='webcam/images',
        pipeline=_base_.test_pipeline))
val_dataloader = test_dataloader
