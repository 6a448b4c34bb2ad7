"""Options and set-up that train.py and test.py share."""
from __future__ import annotations

import argparse
import os
import subprocess
import warnings
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Iterator

import torch

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
from expected_errors import one_line_errors, sentence_of
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from options import add_cfg_options

from mmgh.config_errors import error_of_config
from mmgh.config_file import read_config
from mmgh.config_values import check_values
from mmgh.input_error import InputError

# Variables that they set.
_LAUNCHERS = dict(
    pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_LOCAL_RANK')
# Where processes of Slurm meet; below those that a system gives away.
FIRST_PORT, PORTS = 20000, 10000


def make_parser(description: str) -> argparse.ArgumentParser:
    """Make a parser with the options that both tools take."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        'config', help='a file, or a config that comes with mmgh')
    parser.add_argument('--work-dir', help='where logs and results go')
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--no-pin-memory',
        action='store_true',
        help='do not pin memory in data loaders')
    add_cfg_options(
        parser, 'optim_wrapper.optimizer.lr=0.1 or key="[(a,b),(c,d)]"')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed run were started')
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help='set by launchers')
    return parser


@one_line_errors(InputError)
def load_config(args: argparse.Namespace) -> Config:
    """Read the config, with what the common options say about it."""
    check_launcher(args.launcher)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = read_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    timeout_of(cfg)
    return cfg


def check_launcher(launcher: str) -> None:
    """Look whether a launcher started this process.

    Raises:
        InputError: If that which is named did not.
    """
    variable = _LAUNCHERS.get(launcher)
    if variable and variable not in os.environ:
        raise InputError(f'--launcher should be what starts the tool, but '
                         f'{launcher} did not: {variable} is not set.')
    if launcher == 'none' and 'RANK' in os.environ and os.environ.get(
            'WORLD_SIZE', '1') != '1':
        warnings.warn(
            f"torchrun started {os.environ['WORLD_SIZE']} processes, each "
            'of which does all by itself. If that is not meant: --launcher '
            'pytorch.',
            stacklevel=2)


def require_gpu_for_amp() -> None:
    if not torch.cuda.is_available():
        raise SystemExit('--amp needs a GPU, but torch finds none.')


def set_loader_defaults(cfg: Config, pin_memory: bool,
                        persistent_workers: bool) -> None:
    """Fill in what mmpretrain's configs leave to its tools.

    Those of mmseg and mmdet leave batches as lists: images differ in size.
    Without workers torch refuses persistent ones, and without a GPU it warns
    about pinned memory.
    """
    stacks = cfg.get('default_scope') not in ('mmseg', 'mmdet')
    collate = 'default_collate' if stacks else 'pseudo_collate'
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) is None:
            continue
        loader = cfg[name]
        loader.setdefault('collate_fn', dict(type=collate))
        loader.setdefault('pin_memory', True)
        loader.setdefault('persistent_workers', True)
        loader.pin_memory &= pin_memory and torch.cuda.is_available()
        loader.persistent_workers &= (
            persistent_workers and bool(loader.get('num_workers')))


def distribute_on_cpu(cfg: Config) -> None:
    """Let torchrun or Slurm start several processes where there is no GPU.

    MMEngine itself assumes one GPU a process.
    """
    if cfg.launcher == 'slurm':
        os.environ.update(rendezvous_of_slurm())
    if cfg.launcher in ('pytorch', 'slurm') and not torch.cuda.is_available():
        torch.distributed.init_process_group('gloo', timeout=timeout_of(cfg))
        cfg.model_wrapper_cfg = {
            'type': 'MMDistributedDataParallel',
            'broadcast_buffers': False,
            # Which MMEngine reads where no wrapper is named.
            'find_unused_parameters':
            cfg.get('find_unused_parameters', False),
            **cfg.get('model_wrapper_cfg', {}), 'device_ids': None
        }


def rendezvous_of_slurm() -> dict[str, str]:
    """Name what torch reads of the processes that srun started, and what it
    does not know yet of where they meet.

    Two jobs on one node have two ports.
    """
    hosts = os.environ.get('MASTER_ADDR') or subprocess.run(
        ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']],
        check=True,
        stdout=subprocess.PIPE,
        text=True).stdout
    port = FIRST_PORT + int(os.environ['SLURM_JOB_ID']) % PORTS
    return {
        'MASTER_ADDR': hosts.split()[0],
        'MASTER_PORT': os.environ.get('MASTER_PORT', str(port)),
        'RANK': os.environ['SLURM_PROCID'],
        'LOCAL_RANK': os.environ['SLURM_LOCALID'],
        'WORLD_SIZE': os.environ['SLURM_NTASKS'],
    }


def timeout_of(cfg: Config) -> timedelta | None:
    """Return how long processes wait for each other; None for torch's own
    choice.

    Raises:
        InputError: If it is no time.
    """
    dist_cfg = cfg.get('env_cfg', {}).get('dist_cfg', {})
    seconds = dist_cfg.get('timeout')
    if seconds is None:
        return None
    if type(seconds) not in (int, float) or not 0 < seconds < inf:
        raise InputError('`env_cfg.dist_cfg.timeout` should be a number of '
                         f'seconds above 0, but got {seconds!r}.')
    return timedelta(seconds=seconds)


@contextmanager
def slips_told(cfg: Config) -> Iterator[None]:
    """Tell in one line what a setting should be: where a constructor does not
    take it, there is no such type, or a value does not fit. All other errors
    keep their traceback."""
    cfg = deepcopy(cfg)  # building changes it
    try:
        yield
    except InputError as error:
        raise SystemExit(sentence_of(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        # What builds a data set tells it as an error of its own.
        causes = filter(None, (error, error.__cause__))
        slips = [error_of_config(cause, cfg) for cause in causes]
        if not any(slips):
            raise
        raise SystemExit(str(next(filter(None, slips)))) from error


def build_runner(cfg: Config) -> Runner:
    """Build MMEngine's runner, or the one that the config names."""
    if 'model' not in cfg:
        raise InputError('`model` should be in the config, which may be a '
                         f'base of others; it has {sorted(cfg.keys())}.')
    check_values(cfg)
    distribute_on_cpu(cfg)
    if 'runner_type' in cfg:
        return RUNNERS.build(cfg)
    return Runner.from_cfg(cfg)
