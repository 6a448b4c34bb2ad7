_base_ = [
    '../_base_/methods/gvb.py',
    '../_base_/datasets/visda2017_random_crop.py',
]

# ResNet-50, as in the code of CDAN, GVB and GH; most tables have ResNet-101.
model = dict(head=dict(num_classes=12))
optim_wrapper = dict(optimizer=dict(lr=0.0003))
train_cfg = dict(max_iters=15002)
