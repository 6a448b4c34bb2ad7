"""What a training does as its settings say, but hardly as they mean."""
from __future__ import annotations

from numbers import Real
from typing import Iterator, Mapping

from mmengine.hooks import CheckpointHook, LoggerHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import nn

from mmgh.task_losses import TaskLossMixin, harmonizes
from mmgh.unwrap import unwrap
from .domain_warnings import warnings_of_domains
from .resuming.optim_wrappers import wrappers_by_name

# Of a warm-up, a training sees at least a tenth: more than its beginning.
_LONGEST_WARMUP = 10
# Other weights of losses are of what is aligned.
_OF_CLASSIFICATION = ('balance_weight', )


def warnings_of(runner) -> Iterator[str]:
    """Yield a sentence on each."""
    yield from _length(runner)
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        yield from _checkpoints(runner)
        yield from _logging(runner)
    yield from _warmups(runner)
    yield from _custom_keys(runner)
    yield from _preprocessors(runner.cfg)
    yield from _nothing_to_harmonize(runner)
    yield from _mixed_source(runner)
    yield from warnings_of_domains(runner.cfg)


def _length(runner) -> Iterator[str]:
    loop = runner.train_loop
    for kind, unit in ((IterBasedTrainLoop, 'iter'),
                       (EpochBasedTrainLoop, 'epoch')):
        if isinstance(loop, kind):
            name, done = f'max_{unit}s', getattr(loop, unit)
            if done >= getattr(loop, name):
                yield (f'`train_cfg.{name}` should be more than the {done} '
                       'that the resumed run has, but is '
                       f'{getattr(loop, name)}: nothing is trained.')


def _checkpoints(runner) -> Iterator[str]:
    iters = runner.train_loop.max_iters
    for hook in runner.hooks:
        if not isinstance(hook, CheckpointHook) or hook.interval <= 0:
            continue
        if not (hook.by_epoch or hook.save_last or hook.interval <= iters):
            yield (f'`interval` of CheckpointHook should be at most {iters}, '
                   'the iterations of the training, where `save_last` is '
                   f'False, but is {hook.interval}: nothing is saved.')
        if hook.by_epoch:
            yield ('`by_epoch` of CheckpointHook should be False where the '
                   'train loop counts iterations: there is no checkpoint '
                   'before the end.')


def _logging(runner) -> Iterator[str]:
    by_epoch = []
    if runner.log_processor.by_epoch:
        by_epoch.append('`log_processor.by_epoch`')
    if any(
            isinstance(hook, LoggerHook) and hook.log_metric_by_epoch
            for hook in runner.hooks):
        by_epoch.append('`log_metric_by_epoch` of LoggerHook')
    if by_epoch and runner.val_loop is not None:
        yield (f'{" and ".join(by_epoch)} should be False where the train '
               'loop counts iterations: validations are logged at epoch 0, '
               'so that no table can tell their iteration.')


def _warmups(runner) -> Iterator[str]:
    """Look at gradient reversals, by what they have: no model is imported."""
    iters = runner.train_loop.max_iters
    warmups = {
        module.warmup_iters
        for module in unwrap(runner.model).modules()
        if hasattr(module, 'warmup_iters') and hasattr(module, 'advance')
    }
    for warmup in sorted(warmups):
        if warmup > _LONGEST_WARMUP * iters:
            yield (f'`warmup_iters` of a gradient reversal should be at most '
                   f'{_LONGEST_WARMUP} times the {iters} iterations of the '
                   f'training, but is {warmup}: the alignment stays off.')


def _custom_keys(runner) -> Iterator[str]:
    names = [name for name, _ in unwrap(runner.model).named_parameters()]
    for path, key in _keys('optim_wrapper', runner.cfg.get('optim_wrapper')):
        if not any(key in name for name in names):
            yield (f'`{path}` should have parts of names of parameters, but '
                   f'{key!r} is in none of the model: it changes nothing.')


def _keys(path: str, wrapper: object) -> Iterator[tuple[str, str]]:
    """Yield the keys of a wrapper, and of those that it has by name."""
    if not isinstance(wrapper, Mapping):
        return
    options = wrapper.get('paramwise_cfg') or {}
    for key in options.get('custom_keys') or ():
        yield f'{path}.paramwise_cfg.custom_keys', key
    for name, part in wrapper.items():
        if name != 'paramwise_cfg':
            yield from _keys(f'{path}.{name}', part)


def _preprocessors(cfg: Mapping) -> Iterator[str]:
    outer = cfg.get('data_preprocessor') or {}
    inner = (cfg.get('model') or {}).get('data_preprocessor') or {}
    lost = [name for name in outer if name not in inner]
    if inner and lost:
        yield (f'`model.data_preprocessor` takes the place of all of '
               f'`data_preprocessor`, of which it lacks {lost}: should they '
               'be in one?')


def _nothing_to_harmonize(runner) -> Iterator[str]:
    """Look at the weights of losses, by their names."""
    model = unwrap(runner.model)
    if not isinstance(model, TaskLossMixin) or not any(
            map(harmonizes, wrappers_by_name(runner.optim_wrapper).values())):
        return
    weights = _weights_of_alignment(model)
    if weights and not any(weights.values()):
        yield (f'{" or ".join(weights)} should be above 0 where gradients are '
               'harmonized, but is 0: there is nothing to harmonize. As a '
               'control take the optim wrapper that does not.')


def _weights_of_alignment(model: nn.Module) -> dict[str, Real]:
    return {
        f'`{name}` of {type(module).__name__}': value
        for module in model.modules() if hasattr(module, 'tasks')
        for name, value in vars(module).items()
        if name.endswith('_weight') and isinstance(value, Real)
        and name not in _OF_CLASSIFICATION
    }


def _mixed_source(runner) -> Iterator[str]:
    """Look for Mixup, CutMix and others of the source, by what pairs have: no
    model is imported.

    The target is not mixed as well. That would suit methods that compare
    features, but others ask for one certain class of each target image (MCC,
    BNM, SSRT) or take the predicted one for its label (MDD, CDAN+E): of two
    images in one they would learn what is wrong.
    """
    model = unwrap(runner.model)
    preprocessor = getattr(model, 'data_preprocessor', None)
    schedules = [getattr(hook, 'schedule', None) for hook in runner.hooks]
    later = any(step.get('batch_augments') for schedule in schedules
                if isinstance(schedule, Mapping)
                for step in schedule.values() if isinstance(step, Mapping))
    mixes = getattr(preprocessor, 'batch_augments', None) or later
    weights = _weights_of_alignment(model).values()
    is_aligned = any(weights) or not weights
    if hasattr(preprocessor, 'preprocess_target') and mixes and is_aligned:
        yield ('Batch augmentations such as Mixup and CutMix mix images of '
               'the source alone, since a target image that is mixed has no '
               'one class to be found: an alignment may learn the blends and '
               'seams in place of the domains. Augment in the pipelines of '
               'both domains, as with RandomErasing, or leave out '
               '`model.train_cfg.augments`.')
