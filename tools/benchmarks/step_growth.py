"""How a step grows with layers, tasks, micro-batches and ranks.

    python tools/benchmarks/step_growth.py

counts the operations and the host's reads of a step, of each scheme of
step_cost.py, on a network of 20 small layers and two tasks; on one of 40
layers; of eight tasks; with four micro-batches a step; and what two ranks
send. The time is that of the CPU alone, as others may use the machine, and
relative to the stock step on the same network. What a scheme does not do, as
it is written, has no number.
"""
from __future__ import annotations

import argparse
import time
from functools import partial
from statistics import median
from typing import Callable

import torch
from rank_messages import measure
from small_layers import SmallLayers, make_batch
from step_counts import host_reads, operations
from torch.optim import SGD
from training_steps import SCHEMES, make_step, missing_schemes

from mmgh.analysis.tables import markdown_table

NETWORKS = {
    '20 layers, 2 tasks': dict(num_layers=20, num_tasks=2),
    '40 layers': dict(num_layers=40, num_tasks=2),
    '8 tasks': dict(num_layers=20, num_tasks=8),
}
OURS = ('stock', 'parameters', 'modules', 'features')


def step_on(scheme: str, counts: int = 1, **network) -> Callable[[], None]:
    """All micro-batches until the parameters move, once."""
    torch.manual_seed(0)
    model = SmallLayers(**network)
    options = {}
    if scheme in OURS:
        options.update(accumulative_counts=counts)
    if scheme in OURS[1:] and network['num_tasks'] > 2:
        options.update(harmonizer=dict(type='mmgh.Observe'))
    step = partial(
        make_step(scheme, model, model.last_stage,
                  SGD(model.parameters(), lr=0., momentum=0.9), **options),
        make_batch())
    return lambda: [step() for _ in range(counts)]


def interleaved_seconds(steps: dict[str, Callable], rounds: int) -> dict:
    """Median time of a step that this process had of the CPU."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            step()
            times[name].append(time.process_time() - start)
    return {name: median(values) for name, values in times.items()}


def columns(schemes: list[str], rounds: int) -> dict[str, dict[str, str]]:
    """Cells by their titles and schemes."""
    found: dict[str, dict[str, str]] = {}
    for title, network in NETWORKS.items():
        steps = {
            name: step_on(name, **network)
            for name in schemes
            if name != 'published' or network['num_tasks'] == 2
        }
        # The first one allocates the momentum.
        interleaved_seconds(steps, 2)
        found[f'{title}: operations'] = counts_of(steps, operations)
        found[f'{title}: reads'] = counts_of(steps, host_reads)
        seconds = interleaved_seconds(steps, rounds)
        found[f'{title}: time'] = {
            name: f"{value / seconds['stock']:.2f}"
            for name, value in seconds.items()
        }
    steps = {
        name: step_on(name, 4, **NETWORKS['20 layers, 2 tasks'])
        for name in schemes if name in OURS
    }
    interleaved_seconds(steps, 2)
    found['4 micro-batches: operations'] = counts_of(steps, operations)
    sent = measure(make_for_ranks, SmallLayers.last_stage)
    found['2 ranks: messages, KiB'] = {
        name: f'{row.messages}, {row.num_bytes / 1024:.0f}'
        for name, row in sent.items()
    }
    return found


def counts_of(steps: dict[str, Callable],
              count: Callable[[Callable], int]) -> dict[str, str]:
    return {name: str(count(step)) for name, step in steps.items()}


def make_for_ranks() -> tuple[SmallLayers, dict]:
    return SmallLayers(**NETWORKS['20 layers, 2 tasks']), make_batch()


def table(schemes: list[str], cells: dict[str, dict[str, str]]) -> str:
    """Markdown, one line per scheme."""
    return markdown_table(
        ['scheme', *cells],
        [[name, *(column.get(name, '-') for column in cells.values())]
         for name in schemes])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--rounds', type=int, default=50, help='steps that are timed')
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error('--rounds should be a whole number of at least 1, but '
                     f'got {args.rounds}.')
    return args


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    missing = missing_schemes(SCHEMES)
    for sentence in missing.values():
        print(sentence)
    schemes = [name for name in SCHEMES if name not in missing]
    print(f'torch {torch.__version__}, {args.rounds} rounds\n\n'
          f'{table(schemes, columns(schemes, args.rounds))}')


if __name__ == '__main__':
    main()
