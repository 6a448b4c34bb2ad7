"""What a checkpoint lacks, and a resumed training needs."""
from .accumulated_gradients import (accumulated_gradients, check_accumulation,
                                    restore_counts, restore_gradients,
                                    update_counts)
from .checkpoint_files import (check_resumable, earlier_checkpoints,
                               find_checkpoint, paths_moved)
from .config_changes import adopt_config, describe_data, describe_schedules
from .missing_validation import is_validation_due
from .other_config import warn_of_other_config
from .training_batches import resume_batches

__all__ = [
    'accumulated_gradients', 'adopt_config', 'check_accumulation',
    'check_resumable', 'describe_data', 'describe_schedules',
    'earlier_checkpoints', 'find_checkpoint', 'is_validation_due',
    'paths_moved', 'restore_counts', 'restore_gradients', 'resume_batches',
    'update_counts', 'warn_of_other_config'
]
