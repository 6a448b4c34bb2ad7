"""The options that say where a study trains."""
from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mmengine.config import DictAction

from mmgh.input_error import InputError
from .local_pool import LocalPool
from .worker import visible_gpus

if TYPE_CHECKING:
    from .slurm_pool import SlurmPool


def add_pool_options(parser: argparse.ArgumentParser) -> None:
    """Let the user say where to train, and how many runs at a time."""
    parser.add_argument(
        '--workers',
        type=int,
        help='runs at a time; they share the GPUs evenly, if there are any '
        '(default: one a GPU, or one; with --cluster: as many as it lets)')
    parser.add_argument(
        '--cluster',
        choices=['slurm'],
        help='train as jobs of a cluster, which need neither this process '
        'nor this machine')
    parser.add_argument(
        '--slurm',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='what a job needs: partition, gpus_per_node, cpus_per_task, '
        'time in minutes, mem, account and other parameters of submitit')


def check_pool_options(parser: argparse.ArgumentParser,
                       args: argparse.Namespace) -> None:
    """Refuse what makes no sense."""
    if args.workers is not None and args.workers < 1:
        parser.error(f'--workers should be at least 1, but got {args.workers}')
    if args.slurm and not args.cluster:
        parser.error('--slurm is for --cluster slurm')


def workers_of(args: argparse.Namespace) -> int:
    """Return how many runs this machine trains at a time: no GPU is idle."""
    return args.workers or len(visible_gpus()) or 1


def make_pool(args: argparse.Namespace) -> LocalPool | SlurmPool:
    """Make what trains the runs of a study.

    Raises:
        InputError: If the cluster is not there.
    """
    if not args.cluster:
        return LocalPool(workers_of(args))
    try:
        from .slurm_pool import SlurmPool
    except ModuleNotFoundError as error:
        raise InputError('--cluster slurm needs submitit: pip install '
                         'submitit') from error
    return SlurmPool(args.out / 'slurm', args.workers, args.slurm or {})
