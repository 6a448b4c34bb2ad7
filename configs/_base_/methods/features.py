# Any method on frozen features, to be trained on a CPU in seconds.
_base_ = [
    '../models/features.py',
    '../datasets/features.py',
    '../schedules/sgd_inv_600.py',
    '../default_runtime.py',
]

# All is over before one would look, and the last iteration counts.
default_hooks = dict(
    logger=dict(interval=100), checkpoint=dict(interval=600))
