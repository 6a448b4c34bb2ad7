# MNIST -> MNIST-M, both of 28 x 28 pixels. MNIST-M in its published layout:
# <data_root>/mnist_m_{train,test}/ and mnist_m_{train,test}_labels.txt.
# Gray images become three equal channels when they are normalised.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)
classes = [
    '0 - zero', '1 - one', '2 - two', '3 - three', '4 - four', '5 - five',
    '6 - six', '7 - seven', '8 - eight', '9 - nine'
]
target_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(28, 28)),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        type='mmgh.DomainPairDataset',
        source=dict(
            type='MNIST',
            download=False,
            data_root='data/mnist',
            split='train',
            pipeline=[dict(type='PackInputs')]),
        target=dict(
            type='CustomDataset',
            data_root='data/mnist_m',
            data_prefix='mnist_m_train',
            ann_file='mnist_m_train_labels.txt',
            classes=classes,
            pipeline=target_pipeline)),
    sampler=dict(type='mmgh.DomainPairSampler', infinite=True),
    collate_fn=dict(type='default_collate'))

# Labels of the target are for testing only.
test_dataloader = dict(
    batch_size=200,
    num_workers=4,
    dataset=dict(
        type='CustomDataset',
        data_root='data/mnist_m',
        data_prefix='mnist_m_test',
        ann_file='mnist_m_test_labels.txt',
        classes=classes,
        pipeline=target_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False))
test_evaluator = dict(type='Accuracy', topk=(1, ))
val_dataloader = test_dataloader
val_evaluator = test_evaluator
