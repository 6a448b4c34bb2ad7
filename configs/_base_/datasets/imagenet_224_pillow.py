# As imagenet_224.py, but read and resized by pillow, with antialiasing, as in
# the published code of all our recipes.
_base_ = 'imagenet_224.py'

resized = [
    dict(type='LoadImageFromFile', imdecode_backend='pillow'),
    dict(type='Resize', scale=(256, 256), backend='pillow'),
]
flipped = [
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_pipeline = [
    *resized,
    dict(type='RandomResizedCrop', scale=224, backend='pillow'),
    *flipped,
]
# For recipes that do not resize what they crop, or crop the centre.
crop_pipeline = [*resized, dict(type='RandomCrop', crop_size=224), *flipped]
center_pipeline = [*resized, dict(type='CenterCrop', crop_size=224), *flipped]
test_pipeline = [
    *resized,
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]
