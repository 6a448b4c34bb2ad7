"""The texts of the configs of a study of two folders."""
from __future__ import annotations

HEADER = '''\
# Written by `mmgh study folders`, and read by it again: change a copy.
'''
DATA = '''
source = dict(
    type='CustomDataset',
    data_root={source!r},
    # The images that can be read, and their labels.
    ann_file={source_list!r},
    metainfo=dict(classes=classes),
    pipeline=train_pipeline)
target = dict(
    type='CustomDataset',
    data_root={target!r},
    ann_file={target_list!r},
    metainfo=dict(classes=classes),
    with_label={labelled},
    pipeline=train_pipeline)
train_dataloader = dict(
    batch_size={batch_size},
    num_workers={workers},
    # Of the target it hands out images alone.
    dataset=dict(type='mmgh.DomainPairDataset', source=source, target=target),
    sampler=dict(type='mmgh.DomainPairSampler', infinite=True),
    collate_fn=dict(type='default_collate'))
test_dataloader = dict(
    batch_size=64,
    num_workers={workers},
    dataset=dict(target, pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False))
val_dataloader = test_dataloader
# They choose a checkpoint by its predictions on the target.
val_evaluator = [
    dict(
        type='mmgh.UnsupervisedMetric',
        items=['mutual_information', 'nuclear_norm', 'entropy']),
{oracle}]
test_evaluator = val_evaluator
'''
ORACLE_METRIC = '''\
    # Never choose by it.
    dict(
        type='mmgh.DomainMetric',
        domain='target',
        metric=[dict(type='Accuracy')]),
'''
TRAINING = '''
_base_ = 'mmgh::_base_/default_runtime.py'

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr={lr}, momentum=0.9, weight_decay=1e-3,
        nesterov=True){rates})
param_scheduler = dict(
    type='mmgh.InverseDecayLR', gamma=10 / {iterations}, by_epoch=False)
train_cfg = dict(
    by_epoch=False, max_iters={iterations}, val_interval={interval})
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(
    logger=dict(interval={log_interval}),
    checkpoint=dict(
        interval={interval},
        max_keep_ckpts=1,
        save_best={metric!r},
        rule='greater'))
'''
RATES = ''',
    # A pretrained backbone learns at a tenth of the rate of new layers.
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1)))'''
METHOD = '''
_base_ = ['classifier.py', 'data.py', 'training.py']

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type={head},
        reversal=dict(warmup_iters={iterations})))
'''
SOURCE_ONLY = '''
_base_ = ['classifier.py', 'data.py', 'training.py']

# One domain: the source of the pair, and nothing of the target.
train_dataloader = dict(
    dataset=dict(_delete_=True, **_base_.source),
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True))
'''
HEADS = {
    'dann.py': "'mmgh.DANNHead'",
    'cdan-e.py': "'mmgh.CDANHead',\n        entropy='reversed'",
}
STUDY = '''
_base_ = 'mmgh::studies/folders.py'

pairs = {{'_delete_': True, {pair!r}: dict(config='data.py')}}
methods = {{
    'source-only': dict(config='source-only.py'),
    'DANN': dict(config='dann.py'),
    'CDAN+E': dict(config='cdan-e.py'),
}}
metric = {metric!r}
'''
# Mutual information is at most the logarithm of the number of classes.
SCALE = '''\
# The target has no labels: this score, in percent of the most that it can be,
# stands where the accuracy would be.
scale = {scale:.4f}
'''
