# EfficientNet-Lite0 of timm, with its weights of ImageNet: a network for
# tools/extract_features.py that a CPU runs over 20 images a second. Without a
# connection give its weights by --checkpoint.
default_scope = 'mmpretrain'
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='TIMMBackbone',
        model_name='tf_efficientnet_lite0',
        pretrained=True),
    neck=dict(type='GlobalAveragePooling'))
data_preprocessor = dict(mean=[127.] * 3, std=[128.] * 3, to_rgb=True)

train_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='ResizeEdge', scale=180, edge='short'),
            dict(type='RandomCrop', crop_size=160),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='PackInputs'),
        ]))
test_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='ResizeEdge', scale=180, edge='short'),
            dict(type='CenterCrop', crop_size=160),
            dict(type='PackInputs'),
        ]))
