# SVHN -> MNIST, both of 32 x 32 pixels. SVHN in its published layout:
# <data_root>/{train,test}_32x32.mat.
# Gray images become three equal channels when they are normalised.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
pipeline = [dict(type='Resize', scale=(32, 32)), dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='mmgh.DomainPairDataset',
        source=dict(
            type='mmgh.SVHN',
            data_root='data/svhn',
            split='train',
            pipeline=pipeline),
        target=dict(
            type='MNIST',
            download=False,
            data_root='data/mnist',
            split='train',
            pipeline=pipeline)),
    sampler=dict(type='mmgh.DomainPairSampler', infinite=True),
    collate_fn=dict(type='default_collate'))

# Labels of the target are for testing only.
test_dataloader = dict(
    batch_size=200,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='MNIST',
        download=False,
        data_root='data/mnist',
        # Without `test_mode` mmpretrain reads the training images.
        split='test',
        test_mode=True,
        pipeline=pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False))
test_evaluator = dict(type='Accuracy', topk=(1, ))
val_dataloader = test_dataloader
val_evaluator = test_evaluator
