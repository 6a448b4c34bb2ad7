"""Kill trainings at random moments, and compare what comes of them.

    python tools/benchmarks/kill_and_resume.py --kills 30

Each set-up is trained without an interruption once. Then trainings of it are
killed, also while they save or validate, and resumed until they end: weights,
optimizer, logged scalars and validations should be the same, bit for bit.
"""
from __future__ import annotations

import argparse
import os
import random
import select
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

# What tools share is in the folder above.
sys.path.insert(0, str(Path(__file__).parents[1]))
# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh

# isort: split
import numpy as np
import torch
from command_line import build_runner
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner, ValLoop

import mmgh.datasets
import mmgh.hooks
import mmgh.models
import mmgh.optim  # noqa: F401
from mmgh.analysis import read_scalars, validation_names
from mmgh.analysis.tables import markdown_table

CONFIGS = Path(__file__).parents[2] / 'configs'
PAIR = 'lenet_1xb32-1k_digits-digits2digitsm.py'
DANN = f'dann/dann-ghpp_{PAIR}'
LAST = 40
SHORT = {
    'train_cfg.max_iters': LAST,
    'train_cfg.val_interval': 10,
    'train_dataloader.batch_size': 16,
    'val_dataloader.dataset.indices': 200,
    'default_hooks.checkpoint.interval': 10,
    'default_hooks.logger.interval': 10,
}
SETUPS = {
    'default': (DANN, {}),
    'EMA': (DANN, {
        'custom_hooks': [dict(type='EMAHook', momentum=0.1)]
    }),
    'accumulation of 4': (DANN, {
        'optim_wrapper.accumulative_counts': 4
    }),
    'one checkpoint kept': (DANN, {
        'default_hooks.checkpoint.max_keep_ckpts': 1
    }),
    # It goes back to its last snapshot now and then.
    'SSRT, safe training':
    ('ssrt/ssrt_vit-tiny_1xb32-1k_digits-digits2digitsm.py', {
        'custom_hooks': [
            dict(
                type='mmgh.SafeTrainingHook',
                interval=6,
                num_scales=2,
                tolerance=0.)
        ]
    }),
    'alternating MCD': (f'mcd/mcd-alternating-cls-ghpp_{PAIR}', {}),
}
COMPARED = dict(
    model=('state_dict', 'ema_state_dict'),
    optimizer=('optimizer', 'param_schedulers', 'safe_training'))
# What a training is at: it tells its beginning, and its end in capitals.
SAVING, VALIDATING = b's', b'v'


class Kill(NamedTuple):
    """When to kill."""

    sign: bytes | None
    """The beginning of what is waited for; None for that of the training."""
    count: int
    """How often."""
    delay: float
    """Seconds after that."""


class Uninterrupted(NamedTuple):
    """What a training without a kill took and gave."""

    seconds: float
    signs: bytes
    outcome: dict[str, object]


def run_copy(cfg: Config, kill: Kill | None) -> tuple[int, bytes]:
    """Train in a copy of this process, which has its imports done.

    Returns:
        tuple[int, bytes]: Its exit status, negative for a signal, and the
        signs that it gave.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reader)
        train_here(cfg, writer)
    os.close(writer)
    begin = time.monotonic()
    deadline = begin + kill.delay if kill and kill.sign is None else None
    signs = b''
    while True:
        left = None if deadline is None else max(
            0., deadline - time.monotonic())
        if not select.select([reader], [], [], left)[0]:
            os.kill(pid, signal.SIGKILL)
            deadline = None
            continue
        sign = os.read(reader, 1)
        if not sign:
            break
        signs += sign
        if kill and sign == kill.sign and signs.count(sign) == kill.count:
            deadline = time.monotonic() + kill.delay
    os.close(reader)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), signs


def train_here(cfg: Config, signs: int) -> None:
    """Train, and end this process."""
    output = os.open(f'{cfg.work_dir}.log',
                     os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for number in (1, 2):
        os.dup2(output, number)
    tell(Runner, 'save_checkpoint', SAVING, signs)
    tell(ValLoop, 'run', VALIDATING, signs)
    status = 1
    try:
        build_runner(cfg).train()
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


def tell(owner: type, name: str, sign: bytes, signs: int) -> None:
    """Let a method tell that it begins, and that it ends."""
    method = getattr(owner, name)

    def telling(*args, **kwargs):
        os.write(signs, sign)
        result = method(*args, **kwargs)
        os.write(signs, sign.upper())
        return result

    setattr(owner, name, telling)


def config_of(setup: str, work_dir: Path) -> Config:
    name, options = SETUPS[setup]
    cfg = Config.fromfile(CONFIGS / name)
    cfg.merge_from_dict({**SHORT, **options})
    cfg.work_dir = str(work_dir)
    cfg.launcher = 'none'
    cfg.resume = True
    return cfg


def draw_kill(whole: Uninterrupted, numbers: random.Random) -> Kill:
    """Choose a moment, a third of them of each kind."""
    sign = numbers.choice([None, SAVING, VALIDATING])
    if sign is None:
        return Kill(None, 1, numbers.uniform(0, whole.seconds))
    return Kill(sign, numbers.randint(1, whole.signs.count(sign)),
                numbers.uniform(0, 0.05))


def outcome(work_dir: Path) -> dict[str, object]:
    """Read what is compared."""
    content = torch.load(work_dir / f'iter_{LAST}.pth', map_location='cpu')
    scalars = content['message_hub']['log_scalars']
    names = validation_names(work_dir)
    return {
        **{
            name: [content.get(key) for key in keys]
            for name, keys in COMPARED.items()
        },
        'scalars': {
            name: values
            for name, values in scalars.items() if 'time' not in name
        },
        'validations': {
            step: [line[name] for name in names]
            for step, line in read_scalars(work_dir).items() if all(
                name in line for name in names)
        },
    }


def is_same(first, second) -> bool:
    """Compare bit by bit."""
    if isinstance(first, HistoryBuffer):
        return is_same(first.data, second.data)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            is_same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(is_same, first, second))
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second, equal_nan=True)
    return first == second


def train_whole(setup: str, work_dir: Path) -> Uninterrupted:
    begin = time.monotonic()
    status, signs = run_copy(config_of(setup, work_dir), None)
    if status:
        sys.exit(f'{setup}: failed; see {work_dir}.log')
    return Uninterrupted(time.monotonic() - begin, signs, outcome(work_dir))


def train_killed(setup: str, work_dir: Path, whole: Uninterrupted,
                 numbers: random.Random) -> list[bytes]:
    """Train, kill and resume until the end.

    Returns:
        list[bytes]: What the training was at, each time it was killed.
    """
    moments = []
    kill = draw_kill(whole, numbers)
    while True:
        began = int(time.time())
        status, signs = run_copy(config_of(setup, work_dir), kill)
        if status > 0:
            raise RuntimeError(f'failed; see {work_dir}.log')
        if status == 0 and moments:
            return moments
        if status == 0:  # it was faster than that
            shutil.rmtree(work_dir)
            kill = draw_kill(whole, numbers)
            continue
        moments.append(signs[-1:])
        # Some resumed ones are killed, too.
        kill = draw_kill(whole, numbers) if numbers.random() < 0.3 else None
        while int(time.time()) == began:  # MMEngine names logs by the second
            time.sleep(0.05)


def row(setup: str, kills: int, folder: Path,
        numbers: random.Random) -> tuple[str, ...]:
    """Kill a set-up, and count what differs."""
    whole = train_whole(setup, folder / 'whole')
    moments: list[bytes] = []
    differing = dict.fromkeys([*whole.outcome, 'failed'], 0)
    trainings = 0
    while len(moments) < kills:
        work_dir = folder / f'killed_{trainings}'
        trainings += 1
        try:
            moments += train_killed(setup, work_dir, whole, numbers)
            found = outcome(work_dir)
        except (RuntimeError, FileNotFoundError) as error:
            print(f'{setup}: {error}', file=sys.stderr)
            differing['failed'] += 1
            break
        wrong = [name for name, value in whole.outcome.items()
                 if not is_same(found[name], value)]
        for name in wrong:
            differing[name] += 1
        if wrong:
            print(f'{setup}: {", ".join(wrong)} of {work_dir}',
                  file=sys.stderr)
        else:
            shutil.rmtree(work_dir)
            Path(f'{work_dir}.log').unlink()
    return (setup, str(trainings), str(len(moments)),
            *(str(moments.count(sign)) for sign in (SAVING, VALIDATING)),
            *map(str, differing.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--kills', type=int, default=5, help='at least, of each set-up')
    parser.add_argument(
        '--setups', nargs='+', choices=SETUPS, default=list(SETUPS))
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/kill_and_resume'),
        help='where trainings that differ are kept')
    args = parser.parse_args()
    torch.set_num_threads(1)
    shutil.rmtree(args.out, ignore_errors=True)
    header = ('set-up', 'trainings', 'kills', 'saving', 'validating',
              'other model', 'other optimizer', 'other scalars',
              'other validations', 'failed')
    rows = []
    for setup in args.setups:
        folder = args.out / setup.replace(' ', '_').replace(',', '')
        folder.mkdir(parents=True)
        moments = random.Random(f'{setup} {args.seed}')
        rows.append(row(setup, args.kills, folder, moments))
        print(f'{setup}: done', file=sys.stderr)
    print(markdown_table(header, rows))


if __name__ == '__main__':
    main()
