_base_ = [
    '../_base_/methods/cdan_e.py',
    '../_base_/datasets/office31_amazon2webcam.py',
]

# For A2D and D2W: optim_wrapper.optimizer.lr=0.0003
