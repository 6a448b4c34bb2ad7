_base_ = [
    '../_base_/methods/cdan_e.py',
    '../_base_/datasets/office_home_art2clipart.py',
]

model = dict(head=dict(num_classes=65))
