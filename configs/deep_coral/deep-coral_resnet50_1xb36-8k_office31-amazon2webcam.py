_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.DeepCORALHead'))
