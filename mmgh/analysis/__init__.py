"""What a training left: logs, checkpoints, features of both domains.

Numbers and drawings are here, as a library: what does not fit is raised. The
commands that read, print and draw are in tools/analysis.
"""
from .domain_datasets import domain_datasets, has_domain_pair, target_dataset
from .domain_outputs import Outputs, outputs_of, outputs_of_domains
from .run_log import (RunLog, accuracy_name, read_accuracies, read_run_log,
                      read_scalars, validation_names)
from .runs import distinct_names, group_by_name, run_name, setting_names
from .trained_model import Trained, check_classes, load_config, load_trained
from .training_images import TrainingImages, training_images

__all__ = [
    'Outputs', 'RunLog', 'Trained', 'TrainingImages', 'accuracy_name',
    'check_classes', 'distinct_names', 'domain_datasets', 'group_by_name',
    'has_domain_pair', 'load_config', 'load_trained', 'outputs_of',
    'outputs_of_domains', 'read_accuracies', 'read_run_log', 'read_scalars',
    'run_name', 'setting_names', 'target_dataset', 'training_images',
    'validation_names'
]
