from __future__ import annotations

from mmengine.hooks import EarlyStoppingHook, Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import find_latest_checkpoint

from mmgh.registry import HOOKS
from mmgh.seeds import seed_random_numbers
from mmgh.unwrap import unwrap
from .resuming import (accumulated_gradients, adopt_config, check_accumulation,
                       check_resumable, describe_data, describe_schedules,
                       earlier_checkpoints, find_checkpoint, is_validation_due,
                       paths_moved, restore_counts, restore_gradients,
                       resume_batches, update_counts, warn_of_other_config)

_STATE = 'exact_resume'
# Keeps random numbers of a validation apart from those of training.
_VALIDATION = 3


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Makes a resumed run equal an uninterrupted one.

    - Random numbers depend on the seed of the run, the rank and the iteration
      alone, with any number of workers. Images already seen are skipped, and
      not loaded.
    - Gradients that are accumulated for a later step, the updates that each
      of several optimizers has counted, and what ``EarlyStoppingHook`` has
      counted, are in the checkpoints.
    - The validation of the iteration to go on from, which MMEngine leaves out,
      is made up for.
    - Where settings of optimizers or schedules, such as the ``end`` that they
      take from ``train_cfg.max_iters``, differ from those of the run so far,
      the config counts, and a warning names them. It also names what lets an
      iteration see other images, such as another ``batch_size``, and what else
      makes the model, its losses or its data others.
    - The newest checkpoint of the work directory that can be read is resumed
      from, also where that was moved. If none can be read, no new training
      begins over them. If there is none, a warning names the directory. One
      without the state of a training is refused, and one without that of the
      optimizer, as ``save_optimizer=False`` leaves it, told in a warning.

    A training that begins with the weights of a checkpoint, by ``load_from``,
    begins at iteration 0: all modules with a method ``restart_training``, such
    as :class:`mmgh.models.layers.GradientReversal`, are told.

    Example:
        >>> default_hooks = dict(
        ...     exact_resume=dict(type='mmgh.ExactResumeHook'))
        >>> randomness = dict(seed=0)
    """

    # The checkpoints and other hooks should be ready for a validation.
    priority = 'LOWEST'

    def __init__(self) -> None:
        self._described: dict | None = None
        self._resumed: dict = {}
        self._validated: int | None = None
        self._seeds_steps = False

    def before_run(self, runner) -> None:
        """Do as before loading, unless this runner has loaded already."""
        if self._described is None:
            self.before_load(runner)

    def before_load(self, runner) -> None:
        """Find what to resume from, and note what the config says."""
        # There is no public way to say so, once a runner is built.
        if runner._resume and runner._load_from is None:
            found = find_checkpoint(runner)
            if found is not None:
                runner._load_from = str(found)
                runner.logger.info(f'The newest checkpoint is {found}.')
            elif find_latest_checkpoint(runner.work_dir) is None:
                runner.logger.warning(f'{runner.work_dir} has no checkpoint: '
                                      'training begins at iteration 0.')
        if isinstance(runner.optim_wrapper, (OptimWrapper, OptimWrapperDict)):
            # It is built, for a training.
            self._described = dict(
                schedules=describe_schedules(runner),
                data=describe_data(runner))

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Let the config count; keep what is for later."""
        self._resumed = checkpoint.get(_STATE, {})
        if not runner._resume:
            return
        check_resumable(checkpoint, runner._load_from)
        hub = checkpoint.get('message_hub', {})
        if 'runtime_info' in hub:
            hub['runtime_info'] = paths_moved(runner, hub['runtime_info'])
        warn_of_other_config(checkpoint, runner.cfg)
        described = self._resumed.get('described')
        if described and self._described:
            adopt_config(runner, checkpoint, described)

    def before_train(self, runner) -> None:
        """Go to the iteration to go on with, and validate if it is due."""
        check_accumulation(runner)
        state = self._resumed if runner.iter else {}
        if not runner.iter:
            _restart(unwrap(runner.model))
            _warn_of_earlier(runner)
        self._seeds_steps = not resume_batches(runner,
                                               state.get('sampler_seed'))
        restore_counts(runner.optim_wrapper, state.get('counts', {}))
        restore_gradients(runner.optim_wrapper, state.get('gradients', {}))
        for hook, counted in zip(
                _early_stopping(runner), state.get('early_stopping', ())):
            vars(hook).update(counted)
        if (runner.iter and is_validation_due(runner)
                and state.get('validated') != runner.iter):
            runner.logger.info(
                'Validating first: the checkpoint was saved before that.')
            runner.val_loop.run()

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        """Seed the random numbers of the iteration, unless its batch did."""
        if self._seeds_steps:
            seed_random_numbers(runner.seed, runner.rank, runner.iter)

    def before_val(self, runner) -> None:
        """Note the iteration that is validated, and seed it."""
        self._validated = runner.iter
        seed_random_numbers(runner.seed, runner.rank, runner.iter, _VALIDATION)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Add what MMEngine leaves out."""
        sampler = getattr(runner.train_dataloader, 'sampler', None)
        checkpoint[_STATE] = dict(
            described=self._described,
            validated=self._validated,
            sampler_seed=getattr(sampler, 'seed', None),
            counts=update_counts(runner.optim_wrapper),
            gradients=accumulated_gradients(runner.optim_wrapper),
            early_stopping=[
                dict(
                    wait_count=hook.wait_count,
                    best_score=float(hook.best_score))
                for hook in _early_stopping(runner)
            ])


def _restart(model) -> None:
    for module in model.modules():
        if hasattr(module, 'restart_training'):
            module.restart_training()


def _warn_of_earlier(runner) -> None:
    paths = earlier_checkpoints(runner)
    if paths:
        runner.logger.warning(
            f'{paths[-1].parent} should be the directory of one training, but '
            f'has {len(paths)} checkpoints of an earlier one, such as '
            f'{paths[-1].name}: this one begins anew, but until it saves its '
            'own, to resume would go on with that one.')


def _early_stopping(runner) -> list[EarlyStoppingHook]:
    return [hook for hook in runner.hooks
            if isinstance(hook, EarlyStoppingHook)]
