_base_ = [
    '../_base_/methods/mcd.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]
