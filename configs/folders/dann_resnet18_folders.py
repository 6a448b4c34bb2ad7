_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/folders.py',
    '../_base_/schedules/sgd_inv_2k.py',
    '../_base_/default_runtime.py',
]

# Your images: <folder>/<class>/<image>. The other configs here are built on
# this one.
source = dict(data_root='data/mine/source')
target = dict(data_root='data/mine/target')

train_dataloader = dict(
    batch_size=32, dataset=dict(source=source, target=target))
val_dataloader = dict(dataset=target)
test_dataloader = dict(dataset=target)
model = dict(
    type='mmgh.UDAClassifier',
    head=dict(num_classes=10),
    uda_head=dict(type='mmgh.DANNHead', reversal=dict(warmup_iters=2000)))
