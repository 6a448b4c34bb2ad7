"""Taking a trained classifier away: to image files and to ONNX.

To plain mmpretrain: :mod:`mmgh.deployment.plain_classifier`, which alone
imports its models.
"""
from .image_files import Predictions, find_images, predict_files
from .onnx_model import check_onnx_packages, run_onnx, write_onnx
from .probabilities import probabilities_of

__all__ = [
    'Predictions', 'check_onnx_packages', 'find_images', 'predict_files',
    'probabilities_of', 'run_onnx', 'write_onnx'
]
