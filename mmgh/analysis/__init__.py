"""Reading what a training left: logs, checkpoints, features of both domains.

The scripts in tools/analysis draw and print it.
"""
from .domain_outputs import Outputs, domain_datasets, outputs_of
from .run_log import RunLog, read_accuracies, read_run_log, read_scalars
from .trained_model import Trained, load_trained

__all__ = [
    'Outputs', 'RunLog', 'Trained', 'domain_datasets', 'load_trained',
    'outputs_of', 'read_accuracies', 'read_run_log', 'read_scalars'
]
