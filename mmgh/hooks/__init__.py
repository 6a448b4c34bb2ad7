"""Hooks of the training loop."""
from .class_check_hook import ClassCheckHook
from .common_buffers_hook import CommonBuffersHook
from .divergence_hook import DivergenceHook
from .evaluator_check_hook import EvaluatorCheckHook
from .iteration_seed_hook import IterationSeedHook
from .safe_training_hook import SafeTrainingHook

__all__ = [
    'ClassCheckHook', 'CommonBuffersHook', 'DivergenceHook',
    'EvaluatorCheckHook', 'IterationSeedHook', 'SafeTrainingHook'
]
