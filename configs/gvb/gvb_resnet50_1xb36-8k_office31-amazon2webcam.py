_base_ = [
    '../_base_/models/resnet50.py',
    '../_base_/datasets/office31_amazon2webcam.py',
    '../_base_/schedules/sgd_inv_8k.py',
    '../_base_/default_runtime.py',
]

# As in the published code of GVB there is no bottleneck.
model = dict(
    type='mmgh.UDAClassifier',
    neck=[dict(type='GlobalAveragePooling')],
    head=dict(type='mmgh.BridgeClsHead', in_channels=2048),
    uda_head=dict(type='mmgh.GVBHead'))
# 0.001 is for W2A, D2A and Office-Home.
optim_wrapper = dict(optimizer=dict(lr=0.0003))
