_base_ = [
    '../_base_/models/resnet18.py',
    '../_base_/datasets/folders.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

# Your images: <folder>/<class>/<image>.
source = dict(data_root='data/mine/source')
target = dict(data_root='data/mine/target')

train_dataloader = dict(
    batch_size=32, dataset=dict(source=source, target=target))
val_dataloader = dict(dataset=target)
test_dataloader = dict(dataset=target)
model = dict(
    type='mmgh.UDAClassifier',
    head=dict(num_classes=10),
    uda_head=dict(type='mmgh.DANNHead'))
optim_wrapper = dict(
    type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GHPlusPlus'))
train_cfg = dict(max_iters=2000, val_interval=200)
