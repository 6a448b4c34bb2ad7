# DomainNet in its published layout: <data_root>/<domain>/<class>/ and the
# lists <data_root>/<domain>_{train,test}.txt. Domains: clipart, infograph,
# painting, quickdraw, real, sketch.
_base_ = 'imagenet_224_pillow.py'

data_root = 'data/domainnet'
data_preprocessor = dict(num_classes=345)
train_dataloader = dict(
    dataset=dict(
        source=dict(
            type='mmgh.ImageList',
            num_classes=345,
            data_root=data_root,
            ann_file='clipart_train.txt',
            pipeline=_base_.train_pipeline),
        target=dict(
            type='mmgh.ImageList',
            num_classes=345,
            data_root=data_root,
            ann_file='sketch_train.txt',
            pipeline=_base_.train_pipeline)))
test_dataloader = dict(
    dataset=dict(
        type='mmgh.ImageList',
        num_classes=345,
        data_root=data_root,
        ann_file='sketch_test.txt',
        pipeline=_base_.test_pipeline))
val_dataloader = test_dataloader
