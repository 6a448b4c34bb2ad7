_base_ = [
    '../_base_/methods/deep_coral.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]
