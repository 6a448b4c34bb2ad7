_base_ = [
    '../_base_/methods/jan.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]

train_dataloader = dict(batch_size=32)
