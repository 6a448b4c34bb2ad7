"""Any MMEngine model: two losses, no domain adaptation."""
import sys

_base_ = [
    '../_base_/models/digits_lenet.py',
    '../_base_/datasets/digits2digitsm.py',
    '../_base_/schedules/digits_1k.py',
    '../_base_/default_runtime.py',
]

# The model is defined beside this file.
sys.path.append('{{ fileDirname }}')
custom_imports = dict(imports=['digit_and_ink'])

model = dict(
    _delete_=True,
    type='DigitAndInk',
    backbone={{_base_.model.backbone}},
    data_preprocessor=dict(
        type='ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3))

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmgh.DigitsM',
        split='train',
        pipeline={{_base_.train_pipeline}}),
    sampler=dict(
        _delete_=True, type='mmengine.InfiniteSampler', shuffle=True))
