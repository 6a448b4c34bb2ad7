"""Hooks of the training loop."""
from .class_check_hook import ClassCheckHook
from .iteration_seed_hook import IterationSeedHook
from .safe_training_hook import SafeTrainingHook

__all__ = ['ClassCheckHook', 'IterationSeedHook', 'SafeTrainingHook']
