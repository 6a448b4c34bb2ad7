# Frozen features of Office-31 by EfficientNet-Lite0, of all of its domains:
# amazon, dslr, webcam. tools/extract_features.py makes them:
#   python tools/extract_features.py configs/_base_/extractors/lite0.py
data_root = 'data/features/office31_lite0'
train_pipeline = [
    dict(type='mmgh.LoadFeatures'),  # a random view
    dict(type='PackInputs', input_key='features'),
]
test_pipeline = [
    dict(type='mmgh.LoadFeatures', view=0),
    dict(type='PackInputs', input_key='features'),
]
data_preprocessor = dict(type='ClsDataPreprocessor')

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='mmgh.DomainPairDataset',
        source=dict(
            type='mmgh.FeatureFolder',
            data_root=data_root,
            domain='amazon',
            pipeline=train_pipeline),
        target=dict(
            type='mmgh.FeatureFolder',
            data_root=data_root,
            domain='webcam',
            pipeline=train_pipeline)),
    sampler=dict(type='mmgh.DomainPairSampler', infinite=True),
    collate_fn=dict(type='default_collate'))

# Labels of the target are for testing only.
test_dataloader = dict(
    batch_size=500,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        type='mmgh.FeatureFolder',
        data_root=data_root,
        domain='webcam',
        pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False))
test_evaluator = dict(type='Accuracy', topk=(1, ))
val_dataloader = test_dataloader
val_evaluator = test_evaluator
