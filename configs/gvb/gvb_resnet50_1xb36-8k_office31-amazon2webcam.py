_base_ = [
    '../_base_/methods/gvb.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]

# 0.001 is for W2A, D2A and Office-Home.
optim_wrapper = dict(optimizer=dict(lr=0.0003))
