"""The gradients of the tasks, J: obtain, average, compare and combine them.

Nothing here knows of models, optimizers or harmonizers.
"""
from .gramian import gramian_of, pair_cosine, sub_gramian
from .rank_average import RankAverage
from .task_gradients import (TaskGradient, add_to_grad_fields, probe_gradient,
                             scale_gradient, task_gradient)

__all__ = [
    'RankAverage', 'TaskGradient', 'add_to_grad_fields', 'gramian_of',
    'pair_cosine', 'probe_gradient', 'scale_gradient', 'sub_gramian',
    'task_gradient'
]
