"""The contract between models and optim wrappers: which loss is whose.

A model hands the optim wrapper one scalar, the total. A model that wants to
be harmonized also attaches the parts of that scalar, one per task. A stock
wrapper does not look at them, so the same model trains there as usual.
"""
from .late_base import LateBase, with_base
from .marked_loss import (MarkedLoss, Pairs, PlainPasses, SharedFeatures,
                          attach_task_losses, check_gradients, check_pairs,
                          check_sum, get_shared_features, get_task_losses,
                          harmonizes, is_due, map_task_losses, take_apart)
from .task_loss_mixin import TaskLossMixin
from .task_marked import TaskMarked

__all__ = [
    'LateBase', 'MarkedLoss', 'Pairs', 'PlainPasses', 'SharedFeatures',
    'TaskLossMixin', 'TaskMarked', 'attach_task_losses', 'check_gradients',
    'check_pairs', 'check_sum', 'get_shared_features', 'get_task_losses',
    'harmonizes', 'is_due', 'map_task_losses', 'take_apart', 'with_base'
]
