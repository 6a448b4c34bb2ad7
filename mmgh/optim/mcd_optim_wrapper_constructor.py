from __future__ import annotations

from mmengine.model import (MMDistributedDataParallel,
                            MMSeparateDistributedDataParallel)
from mmengine.optim import (AmpOptimWrapper, ApexOptimWrapper,
                            OptimWrapperDict, build_optim_wrapper)
from torch import nn

from mmgh.arguments import OPTIONS
from mmgh.input_error import InputError
from mmgh.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS
from mmgh.unwrap import unwrap
from .harmonization_mixin import harmonization_arguments

_CLASSIFIERS = ('head', 'uda_head')
_PARTS = ('generator', 'classifier')


class _CountingOptimWrapperDict(OptimWrapperDict):
    """Tells each wrapper its count of steps, which the parent does not."""

    def initialize_count_status(self, model: nn.Module, cur_iter: int,
                                max_iters: int) -> None:
        updates = unwrap(model).updates_per_iteration
        for name, wrapper in self.items():
            wrapper.initialize_count_status(model, updates[name] * cur_iter,
                                            updates[name] * max_iters)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class MCDOptimWrapperConstructor:
    """An optim wrapper for the features and one for both classifiers.

    The first, ``generator``, has the parameters of backbone and neck, the
    second, ``classifier``, those of the classification head and the UDA head.

    Args:
        optim_wrapper_cfg (dict): ``generator`` and ``classifier``, each an
            ``optim_wrapper`` as in any config, which may have a
            ``paramwise_cfg``. Not for mixed precision, nor with gradient
            accumulation. A ``type`` that harmonizes, and its own arguments,
            may also stand beside them, as for any other model: they are the
            generator's, or the classifiers' where the model has
            ``harmonized_step='B'``. Those compare gradients on what the
            generator steps with, by ``probe='modules'``.
        paramwise_cfg (dict, optional): Belongs into these instead. Defaults
            to None.

    Example:
        >>> optim_wrapper = dict(
        ...     constructor='mmgh.MCDOptimWrapperConstructor',
        ...     generator=dict(
        ...         type='mmgh.GHOptimWrapper',
        ...         harmonizer=dict(type='mmgh.GHPlusPlus'),
        ...         optimizer=dict(type='SGD', lr=1e-3)),
        ...     classifier=dict(
        ...         optimizer=dict(type='SGD', lr=1e-3, momentum=0.9)))
    """

    def __init__(self,
                 optim_wrapper_cfg: dict,
                 paramwise_cfg: dict | None = None) -> None:
        if paramwise_cfg is not None:
            raise InputError('`paramwise_cfg` should be in `generator` or '
                             f'`classifier`, but got {paramwise_cfg!r} beside '
                             'them.')
        self.optim_wrapper_cfg = optim_wrapper_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the wrappers.

        Args:
            model (nn.Module): Model with ``head`` and ``uda_head``, or its
                wrapper for several processes.
        """
        bypasses = getattr(type(model), 'train_step', None) is (
            MMDistributedDataParallel.train_step)
        if bypasses or isinstance(model, MMSeparateDistributedDataParallel):
            raise InputError(
                "`model_wrapper_cfg.type` should be 'mmgh."
                "OwnStepDistributedDataParallel', which lets the model do its "
                f'steps, but got {type(model).__name__}.')
        step = getattr(unwrap(model), 'harmonized_step', 'C')
        harmonized = 'classifier' if step == 'B' else 'generator'
        configs = _hand_over(self.optim_wrapper_cfg, harmonized)
        _check_all(configs, harmonized)
        parts = _parts_of(unwrap(model))
        if harmonized == 'classifier' and 'harmonizer' in configs[harmonized]:
            configs[harmonized] = _compared_on(parts['generator'],
                                               configs[harmonized])
        return _CountingOptimWrapperDict(
            **{
                name: build_optim_wrapper(
                    nn.ModuleDict(parts[name]), configs[name])
                for name in _PARTS
            })


def _hand_over(config: dict, part: str) -> dict:
    """Let what harmonizes and stands beside both parts belong to one."""
    if part not in config or 'harmonizer' not in config:
        return dict(config)
    names = {'type', *harmonization_arguments()}
    handed = {name: config[name] for name in names & set(config)}
    return {
        part: {**config[part], **handed},
        **{k: v for k, v in config.items() if k not in names | {part}}
    }


def _parts_of(model: nn.Module) -> dict[str, dict[str, nn.Module]]:
    """Return the modules of each optim wrapper by their names."""
    parts: dict[str, dict] = {name: {} for name in _PARTS}
    for name, child in model.named_children():
        part = 'classifier' if name in _CLASSIFIERS else 'generator'
        parts[part][name] = child
    return parts


def _compared_on(modules: dict[str, nn.Module], config: dict) -> dict:
    """Compare gradients on modules that another optim wrapper steps."""
    probe = config.get('probe', 'modules')
    if probe != 'modules':
        raise InputError("`probe` should be 'modules' where the model has "
                         "`harmonized_step='B'`: the classifiers step, but "
                         'gradients of the generator are compared. But got '
                         f'{probe!r}.')
    trained = [
        name for name, module in modules.items()
        if any(p.requires_grad for p in module.parameters())
    ]
    return {'shared': trained, **config, 'probe': probe}


def _check_all(configs: dict, harmonized: str) -> None:
    if set(configs) != set(_PARTS):
        raise InputError('`optim_wrapper` should have `constructor`, '
                         '`generator` and `classifier`, but besides '
                         f'`constructor` it has {sorted(configs)}.')
    for name in _PARTS:
        _check(name, configs[name])
        if name != harmonized and 'harmonizer' in configs[name]:
            raise InputError(
                f'`harmonizer` should be in `{harmonized}`, as the '
                '`harmonized_step` of the model has it, but is in '
                f'`{name}`.')


def _check(name: str, config: dict) -> None:
    """Refuse what does not go with several steps an iteration."""
    OPTIONS.check(**{name: config})
    wrapper_type = config.get('type', 'OptimWrapper')
    if isinstance(wrapper_type, str):
        wrapper_type = OPTIM_WRAPPERS.get(wrapper_type)
    if wrapper_type is not None and issubclass(
            wrapper_type, (AmpOptimWrapper, ApexOptimWrapper)):
        raise InputError(f'`{name}.type` should be one for full precision, '
                         f"but got {config['type']!r}.")
    if config.get('accumulative_counts', 1) != 1:
        raise InputError(f'`{name}.accumulative_counts` should be 1, but got '
                         f"{config['accumulative_counts']!r}.")
