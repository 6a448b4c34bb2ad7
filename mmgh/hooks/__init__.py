"""Hooks of the training loop."""
from .atomic_checkpoint_hook import AtomicCheckpointHook
from .class_check_hook import ClassCheckHook
from .common_buffers_hook import CommonBuffersHook
from .divergence_hook import DivergenceHook
from .evaluator_check_hook import EvaluatorCheckHook
from .exact_resume_hook import ExactResumeHook
from .log_length_hook import LogLengthHook
from .safe_training_hook import SafeTrainingHook
from .training_check_hook import TrainingCheckHook
from .weights_check_hook import WeightsCheckHook

__all__ = [
    'AtomicCheckpointHook', 'ClassCheckHook', 'CommonBuffersHook',
    'DivergenceHook', 'EvaluatorCheckHook', 'ExactResumeHook', 'LogLengthHook',
    'SafeTrainingHook', 'TrainingCheckHook', 'WeightsCheckHook'
]
