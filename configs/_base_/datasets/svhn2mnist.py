# SVHN -> MNIST, both of 32 x 32 pixels. SVHN in its published layout:
# <data_root>/{train,test}_32x32.mat. See mnist2usps.py for the rest.
_base_ = 'usps2mnist.py'

pipeline = [dict(type='Resize', scale=(32, 32)), dict(type='PackInputs')]
train_dataloader = dict(
    dataset=dict(
        source=dict(
            type='mmgh.SVHN', data_root='data/svhn', pipeline=pipeline),
        target=dict(pipeline=pipeline)))
test_dataloader = dict(dataset=dict(pipeline=pipeline))
val_dataloader = test_dataloader
