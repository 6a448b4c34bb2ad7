"""The gradients of the tasks, J: obtain, average, compare and combine them.

Nothing here knows of models, optimizers or harmonizers.
"""
from .gramian import all_finite, cosines_of, gramian_of, pair_cosine
from .rank_average import RankAverage
from .reach import fills_with_zeros, nonzero_in_all
from .task_gradients import (TaskGradient, add_to_grad_fields, probe_gradient,
                             scale_gradient, task_gradient)

__all__ = [
    'RankAverage', 'TaskGradient', 'add_to_grad_fields', 'all_finite',
    'cosines_of', 'fills_with_zeros', 'gramian_of', 'nonzero_in_all',
    'pair_cosine', 'probe_gradient', 'scale_gradient', 'task_gradient'
]
