from __future__ import annotations

from pathlib import Path
from typing import IO

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook

from mmgh.arguments import number
from mmgh.evaluation import UnsupervisedMetric
from mmgh.plain_data import check_plain_data, with_plain_dicts
from mmgh.registry import HOOKS
from .work_dir_lock import lock, unlock


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """Deletes an old checkpoint after the new one is whole.

    MMEngine deletes first: with ``max_keep_ckpts=1``, or one of ``save_best``,
    a run that is stopped while it saves has none. While this hook saves there
    is one more than ``max_keep_ckpts`` on the disk. A second training that
    would save into the same directory is refused while the first one runs. So
    is a checkpoint with more than plain data, such as a ``deque`` that a hook
    put there: it could not be read again, and training ends before it is
    saved, with a message that names the place. All arguments are those of
    MMEngine's ``CheckpointHook``; where ``save_best`` names a score of
    ``UnsupervisedMetric``, or ``'auto'`` finds one, ``rule`` may be left out.

    Example:
        >>> default_hooks = dict(
        ...     checkpoint=dict(
        ...         type='mmgh.AtomicCheckpointHook',
        ...         by_epoch=False,
        ...         interval=500,
        ...         max_keep_ckpts=1))
    """

    # MMEngine infers the rule by parts of names.
    _default_greater_keys = [
        *CheckpointHook._default_greater_keys,
        *(f'/{item}' for item in UnsupervisedMetric.higher_is_better)
    ]
    _default_less_keys = [
        *CheckpointHook._default_less_keys,
        *(f'/{item}' for item in UnsupervisedMetric.lower_is_better)
    ]

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        number(whole=True).check(
            interval=self.interval, max_keep_ckpts=self.max_keep_ckpts)
        self._keeps_all = self.max_keep_ckpts <= 0
        if not self._keeps_all:
            self.max_keep_ckpts += 1  # the parent leaves one for us to delete
        self._lock: IO | None = None

    def before_train(self, runner) -> None:
        """Do as the parent, and keep other trainings out."""
        super().before_train(runner)
        if is_main_process() and '://' not in self.out_dir:
            self._lock = lock(Path(self.out_dir))

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Refuse what could not be read again.

        Raises:
            InputError: If there is more than plain data.
        """
        # With what a config says of its data.
        checkpoint['meta'] = with_plain_dicts(checkpoint['meta'])
        check_plain_data(checkpoint)

    def after_run(self, runner) -> None:
        """Let others in."""
        if self._lock is not None:
            unlock(self._lock)

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        """Do as the parent."""
        super().after_train_iter(runner, *args, **kwargs)
        self._delete_old(runner)

    def save_now(self, runner) -> None:
        """Save after an iteration, whether or not a checkpoint is due; it
        counts as one of ``max_keep_ckpts``."""
        self._save_checkpoint(runner)
        self._delete_old(runner)

    def after_train_epoch(self, runner) -> None:
        """Do as the parent."""
        super().after_train_epoch(runner)
        self._delete_old(runner)

    def after_val_epoch(self, runner, metrics) -> None:
        """Do as the parent."""
        before = self._best()
        # What the parent does not know it does not delete.
        self._set_best(dict.fromkeys(before))
        super().after_val_epoch(runner, metrics)
        found = self._best()
        self._set_best({
            name: path or before.get(name)
            for name, path in found.items()
        })
        for name, path in before.items():
            if path and found[name] not in (None, path):
                self._delete(path)
                runner.logger.info(
                    f'The previous best checkpoint {path} is removed')
        self._delete_old(runner)

    def _delete_old(self, runner) -> None:
        if self._keeps_all or not hasattr(self, 'keep_ckpt_ids'):
            return
        while len(self.keep_ckpt_ids) >= self.max_keep_ckpts:
            step = self.keep_ckpt_ids.popleft()
            self._delete(
                self.file_backend.join_path(self.out_dir,
                                            self.filename_tmpl.format(step)))
            runner.message_hub.update_info('keep_ckpt_ids',
                                           list(self.keep_ckpt_ids))

    def _delete(self, path: str) -> None:
        if not is_main_process():
            return
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):  # as DeepSpeed saves them
            self.file_backend.rmtree(path)

    def _best(self) -> dict[str, str | None]:
        """Return the best checkpoint by each metric; MMEngine has no dict for
        one."""
        if hasattr(self, 'best_ckpt_path'):
            return {'': self.best_ckpt_path}
        return dict(getattr(self, 'best_ckpt_path_dict', {}))

    def _set_best(self, paths: dict[str, str | None]) -> None:
        if hasattr(self, 'best_ckpt_path'):
            self.best_ckpt_path = paths['']
        elif hasattr(self, 'best_ckpt_path_dict'):
            self.best_ckpt_path_dict = paths
