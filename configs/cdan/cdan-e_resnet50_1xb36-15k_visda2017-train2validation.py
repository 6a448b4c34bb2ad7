_base_ = [
    '../_base_/methods/cdan_e.py',
    '../_base_/datasets/visda2017_train2validation.py',
]

# Crops are not resized, as in the published code.
train_dataloader = dict(
    dataset=dict(
        source=dict(pipeline=_base_.crop_pipeline),
        target=dict(pipeline=_base_.crop_pipeline)))

# ResNet-50, as in the code of CDAN, GVB and GH; most tables have ResNet-101.
model = dict(head=dict(num_classes=12))
optim_wrapper = dict(optimizer=dict(lr=0.0003))
train_cfg = dict(max_iters=15002)
