"""Names in a config that nothing would look at, and that are meant to be
others.

MMEngine lets a config have names of its own beside those that it reads. So
``optim_wraper = dict(...)`` would train without what is in there.
"""
from __future__ import annotations

import inspect
from difflib import SequenceMatcher
from typing import Iterable, Iterator, Mapping

from mmengine.runner import Runner

from mmgh.input_error import InputError

# Of two names that share so much, one is a slip of the other. Names of their
# own in the configs of mmpretrain reach 0.81.
_RESEMBLANCE = 0.85

# What is read besides the arguments of Runner.
_READ_AT_TOP = ('activation_checkpointing', 'compile', 'custom_imports',
                'efficient_conv_bn_eval', 'find_unused_parameters',
                'model_wrapper_cfg', 'runner_type', 'strategy', 'sync_bn')
# What MMCV read at the top before MMEngine, but for names that configs use for
# themselves.
_OF_VERSION_1 = ('checkpoint_config', 'log_config', 'lr_config',
                 'optimizer_config', 'total_epochs')
# Likewise, but `test_pipeline` resembles one of them.
_NEVER_MEANT = ('tta_model', 'tta_pipeline')
# What is read in dicts that MMEngine asks by `get`; other dicts are arguments,
# of which Python tells slips.
_READ_WITHIN = {
    'auto_scale_lr': ('base_batch_size', 'enable'),
    'default_hooks':
    ('checkpoint', 'logger', 'param_scheduler', 'runtime_info',
     'sampler_seed', 'timer', 'visualization'),
    'env_cfg': ('cudnn_benchmark', 'dist_cfg', 'mp_cfg', 'resource_limit'),
    'mp_cfg': ('mp_start_method', 'opencv_num_threads'),
    'paramwise_cfg':
    ('bias_decay_mult', 'bias_lr_mult', 'bypass_duplicate', 'custom_keys',
     'dcn_offset_lr_mult', 'decay_rate', 'decay_type', 'dwconv_decay_mult',
     'flat_decay_mult', 'layer_decay_rate', 'norm_decay_mult', 'num_layers'),
}
# Of the parameters whose names have a key of `custom_keys` in them.
_READ_OF_PARAMETERS = ('decay_mult', 'lr_mult')
_WHERE = ('auto_scale_lr', 'default_hooks', 'env_cfg', 'optim_wrapper')


def check_names(cfg: Mapping, origin: object = 'the config') -> None:
    """Refuse names that resemble one that MMEngine reads.

    Names that begin with an underscore are left alone, and so is what a config
    in pure Python imports, such as ``OptimWrapper``.

    Args:
        cfg (Mapping): A config, or some settings of one.
        origin (object): Of the config in the message.

    Raises:
        InputError: If a name at the top, or in a dict that MMEngine asks for
            names, resembles one that it reads.
    """
    old = sorted(set(_OF_VERSION_1) & set(cfg.keys()))
    if old:
        raise InputError(
            f'{origin} should be a config of MMEngine, but has {old}, which '
            'nothing would look at: MMCV before version 2 read it.')
    slips = [*_slips('', cfg, _read_at_top())]
    for name in _WHERE:
        slips += _slips_within(name, cfg.get(name))
    for name, meant in slips:
        raise InputError(
            f'`{meant}` should be written so, but {origin} has `{name}`, '
            'which nothing would look at. If that is no slip, let it begin '
            'with an underscore.')


def check_settings(settings: Mapping, cfg: Mapping) -> None:
    """Refuse settings that nothing would read.

    Args:
        settings (Mapping): That are to replace those of a config.
        cfg (Mapping): The config.

    Raises:
        InputError: If the config has no such name at the top, nor does
            MMEngine read one; or if it is of a preprocessor that would take
            the place of the config's.
    """
    for name in settings:
        if name not in cfg and name not in _read_at_top():
            within = [key for key, value in cfg.items()
                      if isinstance(value, Mapping) and name in value]
            hint = f' Do you mean `{within[0]}.{name}`?' if within else ''
            raise InputError(
                f'`{name}` should be a name at the top of the config, whose '
                f'names are {sorted(cfg.keys())}, or one that MMEngine reads: '
                f'nothing would look at it.{hint}')
    within_model = settings.get('model')
    if (isinstance(within_model, Mapping)
            and 'data_preprocessor' in within_model
            and cfg.get('data_preprocessor')
            and not (cfg.get('model') or {}).get('data_preprocessor')):
        raise InputError(
            '`model.data_preprocessor` should be written '
            '`data_preprocessor`, where this config has it: within the model '
            'it would take the place of all of that one.')


def _read_at_top() -> tuple[str, ...]:
    return (*inspect.signature(Runner.__init__).parameters, *_READ_AT_TOP)


def _slips_within(path: str, node: object) -> Iterator[tuple[str, str]]:
    if not isinstance(node, Mapping):
        return
    *_, parent, key = ('', *path.split('.'))
    known = (
        _READ_OF_PARAMETERS
        if parent == 'custom_keys' else _READ_WITHIN.get(key))
    if known:
        yield from _slips(f'{path}.', node, known)
    for name, value in node.items():
        yield from _slips_within(f'{path}.{name}', value)


def _slips(path: str, node: Mapping,
           known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each slip, and what is meant, with the path to them."""
    for name, value in node.items():
        is_imported = callable(value) or inspect.ismodule(value)
        if (is_imported or str(name).startswith('_') or name in known
                or name in _NEVER_MEANT):
            continue
        for other in known:
            if _resemble(str(name), other):
                yield f'{path}{name}', f'{path}{other}'
                break


def _resemble(name: str, other: str) -> bool:
    name = name.lower().replace('-', '_')
    return (sorted(name) == sorted(other) or SequenceMatcher(
        None, name, other).ratio() >= _RESEMBLANCE)
