_base_ = [
    '../_base_/methods/mcc.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]
