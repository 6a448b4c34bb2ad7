"""Names in a config that nothing would look at, and that are meant to be
others.

MMEngine lets a config have names of its own beside those that it reads. So
``optim_wraper = dict(...)`` would train without what is in there.
"""
from __future__ import annotations

import inspect
from difflib import SequenceMatcher
from pathlib import Path
from typing import Iterable, Iterator, Mapping, NamedTuple

from mmengine.runner import Runner

from mmgh.config_source import ConfigSource
from mmgh.input_error import InputError
from mmgh.nested import nested_dicts
from mmgh.unread_names import unread_names

# Of two names that share so much, one is a slip of the other. Names of their
# own in the configs of mmpretrain reach 0.81.
_RESEMBLANCE = 0.85

# What is read besides the arguments of Runner.
_READ_AT_TOP = ('activation_checkpointing', 'compile', 'custom_imports',
                'efficient_conv_bn_eval', 'find_unused_parameters',
                'model_wrapper_cfg', 'runner_type', 'strategy', 'sync_bn')
# What MMCV read at the top before MMEngine, but for names that configs use for
# themselves.
_OF_VERSION_1 = ('checkpoint_config', 'dist_params', 'log_config', 'lr_config',
                 'momentum_config', 'optimizer_config', 'total_epochs',
                 'workflow')
# These are variables in some configs, of which the text tells whether they
# are used.
_OR_VARIABLE = ('cudnn_benchmark', 'data', 'evaluation', 'fp16', 'optimizer',
                'resume_from', 'runner')
# Likewise, but `test_pipeline` resembles one of them.
_NEVER_MEANT = ('tta_model', 'tta_pipeline')
# What is read in dicts that MMEngine asks by `get`; other dicts are arguments,
# of which Python tells slips.
_READ_WITHIN = {
    'auto_scale_lr': ('base_batch_size', 'enable'),
    'default_hooks':
    ('checkpoint', 'class_check', 'common_buffers', 'divergence',
     'evaluator_check', 'exact_resume', 'log_length', 'logger',
     'param_scheduler', 'runtime_info', 'sampler_seed', 'timer',
     'training_check', 'visualization', 'weights_check'),
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


class _Holder(NamedTuple):
    """A setting that has an argument of some name."""

    path: str
    value: object
    """Of the argument."""

    @property
    def depth(self) -> int:
        return self.path.count('.')


def check_names(cfg: Mapping, origin: object = 'the config') -> None:
    """Refuse names that resemble one that MMEngine reads.

    Names that begin with an underscore are left alone, and so are variables
    that its files use, hooks of further names, and what a config in pure
    Python imports, such as ``OptimWrapper``. In the file of a config,
    and in those of its bases that came with no package, nor does a name pass
    that MMCV read before version 2, that is an argument of another setting, or
    that a base has used for a variable, unless the file uses it.

    Args:
        cfg (Mapping): A config, or some settings of one.
        origin (object): Of the config in the message.

    Raises:
        InputError: If a name at the top, or in a dict that MMEngine asks for
            names, resembles one that it reads; or nothing would look at it,
            and it is no variable.
    """
    old = sorted(set(_OF_VERSION_1) & set(cfg.keys()))
    if old:
        raise InputError(
            f'{origin} should be a config of MMEngine, but has {old}, which '
            'nothing would look at: MMCV before version 2 read it.')
    source = _source(cfg)
    slips = [(name, meant) for name, meant in _slips('', cfg, _read_at_top())
             if not _is_variable(name, meant, cfg, source)]
    for name in _WHERE:
        slips += _slips_within(name, cfg.get(name))
    for name, meant in slips:
        raise InputError(
            f'`{meant}` should be written so, but {origin} has `{name}`, '
            'which nothing would look at. If that is no slip, let it begin '
            'with an underscore.')
    if source is not None:
        _check_text(cfg, source)


def _is_variable(name: str, meant: str, cfg: Mapping,
                 source: ConfigSource | None) -> bool:
    """Tell whether its files use a name that resembles a setting. Of what
    MMEngine wrote only the values tell: a slip would be all that there is."""
    if source is None:
        return False
    if source.is_written:
        return meant in cfg
    return any(name in file.read for file in source.with_bases())


def _check_text(cfg: Mapping, source: ConfigSource) -> None:
    """Refuse names of its files without an effect."""
    known = {*_read_at_top(), *_NEVER_MEANT}
    for file, name, is_of_base in unread_names(source, known):
        if name in _OR_VARIABLE:
            hint = 'MMCV before version 2 read it.'
        elif is_of_base:
            hint = ('what its base makes of that name stays as it is. Set '
                    f'{_users(name, source)} here, too.')
        else:
            holders = _holders(name, cfg)
            if not holders or holders[0].value == cfg.get(name):
                continue  # nothing is meant, or it has this value anyway
            hint = f'do you mean `{holders[0].path}.{name}`?'
        if cfg.get(name) is not None:
            raise InputError(
                f'{file} should use what it gives, but has `{name}`, which '
                f'nothing would look at: {hint} If it is meant to do nothing, '
                'let it begin with an underscore.')


def check_settings(settings: Mapping, cfg: Mapping) -> None:
    """Refuse settings that nothing would read.

    Args:
        settings (Mapping): That are to replace those of a config.
        cfg (Mapping): The config.

    Raises:
        InputError: If the config has no such name at the top, nor does
            MMEngine read one; if the name is that of a variable, which was
            used already, or of what another setting has; or if it is of a
            preprocessor that would take the place of the config's.
    """
    for name in settings:
        if name in _read_at_top() or name in _NEVER_MEANT:
            continue
        within = _holders(name, cfg)
        if name not in cfg:
            hint = (f' Do you mean `{within[0].path}.{name}`?'
                    if within else '')
            raise InputError(
                f'`{name}` should be a name at the top of the config, whose '
                f'names are {sorted(cfg.keys())}, or one that MMEngine reads: '
                f'nothing would look at it.{hint}')
        users = _users(name, _source(cfg))
        if users:
            raise InputError(
                f'`{name}` should be set where it is used, in {users}: it is '
                'a variable of the config, and nothing would look at it.')
        if within:
            meant = [f'{holder.path}.{name}' for holder in within
                     if holder.depth == within[0].depth]
            raise InputError(
                f'`{name}` should be set where it is used, such as {meant}: '
                'at the top it is a variable of the config, and nothing '
                'would look at it.')
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


def _holders(name: str, cfg: Mapping) -> list[_Holder]:
    """Return the settings that have an argument of this name, the outermost
    first."""
    known = _read_at_top()
    read = {key: value for key, value in cfg.items() if key in known}
    found = [_Holder(path, node[name]) for path, node in nested_dicts(read)
             if path and name in node]
    return sorted(found, key=lambda holder: holder.depth)


def _source(cfg: Mapping) -> ConfigSource | None:
    path = Path(getattr(cfg, 'filename', None) or '')
    if path.suffix != '.py' or not path.is_file():
        return None
    return ConfigSource(path)


def _users(name: str, source: ConfigSource | None) -> list[str]:
    """Return the settings that are made of a variable."""
    return [
        user for file in (source.with_bases() if source else ())
        for user in file.users_of(name)
    ]


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
                or name in _NEVER_MEANT or _is_hook(path, value)):
            continue
        for other in known:
            if _resemble(str(name), other):
                yield f'{path}{name}', f'{path}{other}'
                break


def _is_hook(path: str, value: object) -> bool:
    """Tell whether it is one more hook, of any name."""
    return (path == 'default_hooks.' and isinstance(value, Mapping)
            and 'type' in value)


def _resemble(name: str, other: str) -> bool:
    name = name.lower().replace('-', '_')
    return (sorted(name) == sorted(other) or SequenceMatcher(
        None, name, other).ratio() >= _RESEMBLANCE)
