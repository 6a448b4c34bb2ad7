# The best checkpoint is chosen without target labels.
_base_ = [
    '../_base_/models/digits_lenet.py',
    '../_base_/evaluation/digits2digitsm.py',
    '../_base_/schedules/digits_1k.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='mmgh.UDAClassifier',
    uda_head=dict(
        type='mmgh.DANNHead',
        discriminator=dict(hidden_channels=256),
        reversal=dict(warmup_iters=1000)),
    predict_features=True)

default_hooks = dict(
    checkpoint=dict(
        # As often as a validation, which may stop the training.
        interval=100,
        save_best='unsupervised/mutual_information',
        rule='greater'))
# To stop early as well, where a score has not become better, by `min_delta`
# at least, in so many validations:
# custom_hooks = [
#     *_base_.custom_hooks,
#     dict(
#         type='EarlyStoppingHook',
#         monitor='unsupervised/entropy',
#         rule='less',
#         min_delta=0.01,
#         patience=3)
# ]
