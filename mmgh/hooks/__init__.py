"""Hooks of the training loop."""
from .iteration_seed_hook import IterationSeedHook
from .safe_training_hook import SafeTrainingHook

__all__ = ['IterationSeedHook', 'SafeTrainingHook']
