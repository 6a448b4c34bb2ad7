# Digits -> DigitsM: both come with scikit-learn, nothing is downloaded.
data_preprocessor = dict(mean=[127.5] * 3, std=[127.5] * 3)
train_pipeline = [
    dict(type='RandomCrop', crop_size=28, padding=2),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='mmgh.DomainPairDataset',
        source=dict(
            type='mmgh.Digits', split='train', pipeline=train_pipeline),
        target=dict(
            type='mmgh.DigitsM', split='train', pipeline=train_pipeline)),
    sampler=dict(type='mmgh.DomainPairSampler', infinite=True),
    collate_fn=dict(type='default_collate'))

# Labels of the target are for testing only.
test_dataloader = dict(
    batch_size=200,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(type='mmgh.DigitsM', split='test', pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False))
test_evaluator = dict(type='Accuracy', topk=(1, ))
val_dataloader = test_dataloader
val_evaluator = test_evaluator
