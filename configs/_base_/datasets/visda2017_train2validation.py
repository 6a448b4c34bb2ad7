# VisDA-2017 in its published layout: <data_root>/{train,validation}/<class>/.
# The order of the folders' names is that of the classes in the image lists.
_base_ = 'imagenet_224_pillow.py'

data_root = 'data/visda2017'
data_preprocessor = dict(num_classes=12)
# The objects fill the images: TLlib crops the centre in training, too, where
# it takes random crops of the other data sets.
train_dataloader = dict(
    dataset=dict(
        source=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='train',
            pipeline=_base_.center_pipeline),
        target=dict(
            type='CustomDataset',
            data_root=data_root,
            data_prefix='validation',
            pipeline=_base_.center_pipeline)))
test_dataloader = dict(
    dataset=dict(
        type='CustomDataset',
        data_root=data_root,
        data_prefix='validation',
        pipeline=_base_.test_pipeline))
val_dataloader = test_dataloader

# The mean of the accuracies of the classes is what is reported on VisDA-2017;
# recall_classwise are these accuracies themselves.
test_evaluator = [
    dict(type='Accuracy', topk=(1, )),
    dict(type='mmgh.MeanClassAccuracy'),
    dict(type='SingleLabelMetric', items=('recall', ), average=None),
]
val_evaluator = test_evaluator
