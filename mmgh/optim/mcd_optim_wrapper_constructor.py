from __future__ import annotations

from mmengine.model import (MMDistributedDataParallel,
                            MMSeparateDistributedDataParallel)
from mmengine.optim import (AmpOptimWrapper, ApexOptimWrapper,
                            OptimWrapperDict, build_optim_wrapper)
from torch import nn

from mmgh.arguments import OPTIONS
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
            generator's.
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
        optim_wrapper_cfg = _hand_to_generator(optim_wrapper_cfg)
        if set(optim_wrapper_cfg) != set(_PARTS):
            raise ValueError('`optim_wrapper` should have `constructor`, '
                             '`generator` and `classifier`, but besides '
                             '`constructor` it has '
                             f'{sorted(optim_wrapper_cfg)}.')
        if paramwise_cfg is not None:
            raise ValueError('`paramwise_cfg` should be in `generator` or '
                             f'`classifier`, but got {paramwise_cfg!r} beside '
                             'them.')
        for name in _PARTS:
            _check(name, optim_wrapper_cfg[name])
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
            raise ValueError(
                "`model_wrapper_cfg.type` should be 'mmgh."
                "OwnStepDistributedDataParallel', which lets the model do its "
                f'steps, but got {type(model).__name__}.')
        children = dict(unwrap(model).named_children())
        parts: dict[str, dict] = {name: {} for name in _PARTS}
        for name, child in children.items():
            part = 'classifier' if name in _CLASSIFIERS else 'generator'
            parts[part][name] = child
        return _CountingOptimWrapperDict(
            **{
                name: build_optim_wrapper(
                    nn.ModuleDict(parts[name]), self.optim_wrapper_cfg[name])
                for name in _PARTS
            })


def _hand_to_generator(config: dict) -> dict:
    """Let what harmonizes and stands beside both parts be the generator's."""
    if 'generator' not in config or 'harmonizer' not in config:
        return config
    names = {'type', *harmonization_arguments()}
    generator = {
        **config['generator'],
        **{name: config[name] for name in names & set(config)}
    }
    return {
        'generator': generator,
        **{k: v for k, v in config.items() if k not in names | {'generator'}}
    }


def _check(name: str, config: dict) -> None:
    """Refuse what does not go with several steps an iteration."""
    OPTIONS.check(**{name: config})
    wrapper_type = config.get('type', 'OptimWrapper')
    if isinstance(wrapper_type, str):
        wrapper_type = OPTIM_WRAPPERS.get(wrapper_type)
    if wrapper_type is not None and issubclass(
            wrapper_type, (AmpOptimWrapper, ApexOptimWrapper)):
        raise ValueError(f'`{name}.type` should be one for full precision, '
                         f"but got {config['type']!r}.")
    if name == 'classifier' and 'harmonizer' in config:
        raise ValueError('`harmonizer` should be in `generator`, whose '
                         'gradients may conflict, but is in `classifier`.')
    if config.get('accumulative_counts', 1) != 1:
        raise ValueError(f'`{name}.accumulative_counts` should be 1, but got '
                         f"{config['accumulative_counts']!r}.")
