"""Taking a trained classifier away: to plain mmpretrain, to ONNX, to files."""
from .image_files import Predictions, find_images, predict_files
from .onnx_model import run_onnx, write_onnx
from .plain_classifier import plain_classifier
from .probabilities import probabilities_of

__all__ = [
    'Predictions', 'find_images', 'plain_classifier', 'predict_files',
    'probabilities_of', 'run_onnx', 'write_onnx'
]
