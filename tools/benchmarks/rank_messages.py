"""What a step sends between two ranks, and how much of that is hidden.

    python tools/benchmarks/rank_messages.py --model resnet50 --image-size 64

DANN on random weights and noise images, as in step_cost.py, under
MMDistributedDataParallel with two processes and gloo. The schemes are

    stock                 MMEngine's OptimWrapper
    parameters            mmgh.GHOptimWrapper(probe='parameters')
    parameters, bfloat16  the same with reduce_dtype='bfloat16'
    modules               probe='modules', on the last stage
    features              probe='features'

A trace of torch's profiler has each message, from its start to its end, and
the work of the backward passes. What both do at a time is hidden; the table
has its share of the time in which anything travels. ``--traces DIR`` keeps
the traces, for chrome://tracing.
"""
from __future__ import annotations

import argparse
import json
import os
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Callable, NamedTuple

import torch
import torch.multiprocessing as mp
from mmengine.model import MMDistributedDataParallel
from torch import distributed, nn
from torch.profiler import profile
from training_steps import LAST_STAGES, build_model, make_batch, make_step

from mmgh.analysis.tables import markdown_table

SCHEMES = {
    'stock': {},
    'parameters': {},
    'parameters, bfloat16': dict(reduce_dtype='bfloat16'),
    'modules': {},
    'features': {},
}
_BYTES = {'float': 4, 'c10::BFloat16': 2, 'long int': 8, 'int': 4}
Spans = list[tuple[float, float]]


class Sent(NamedTuple):
    """What a step sends between the ranks."""

    messages: int
    num_bytes: int
    hidden: float
    """Share of the time in which anything travels that a backward pass runs,
    too."""


def read_trace(path: Path) -> Sent:
    """Return what a trace tells of the messages that sum something up."""
    events = json.loads(path.read_text())['traceEvents']
    messages = [e for e in events if e.get('name', '').endswith(':all_reduce')]
    travelling = union(spans(messages))
    working = union(
        spans(e for e in events
              if e.get('name', '').startswith('autograd::engine')))
    time = length(travelling)
    return Sent(
        len(messages), sum(map(_size, messages)),
        length(intersection(travelling, working)) / time if time else 0.)


def _size(message: dict) -> int:
    arguments = message['args']
    return sum(
        _BYTES[kind] * torch.Size(shape).numel()
        for kind, shape in zip(arguments['Input type'],
                               arguments['Input Dims']))


def spans(events) -> Spans:
    return sorted((e['ts'], e['ts'] + e['dur']) for e in events)


def union(ordered: Spans) -> Spans:
    """Join what overlaps."""
    joined: Spans = []
    for start, end in ordered:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def intersection(first: Spans, second: Spans) -> Spans:
    return [(max(a, c), min(b, d)) for a, b in first for c, d in second
            if max(a, c) < min(b, d)]


def length(disjoint: Spans) -> float:
    return sum(end - start for start, end in disjoint)


def measure(make: Callable[[], tuple[nn.Module, dict]],
            last_stage: str,
            traces: Path | None = None) -> dict[str, Sent]:
    """Return what the steps of all schemes send.

    Args:
        make (Callable): Makes a model and a batch, in another process.
        last_stage (str): What ``'modules'`` compares the gradients on.
        traces (Path, optional): Folder to keep the traces in. Defaults to
            None: nowhere.
    """
    with TemporaryDirectory() as folder:
        traces = Path(folder) if traces is None else traces
        traces.mkdir(parents=True, exist_ok=True)
        mp.start_processes(
            _run, (f'{folder}/store', make, last_stage, traces),
            nprocs=2,
            start_method='spawn')
        return {
            name: read_trace(traces / _file(name))
            for name in SCHEMES if (traces / _file(name)).exists()
        }


def _file(scheme: str) -> str:
    return scheme.replace(', ', '_') + '.json'


def _run(rank: int, store: str, make: Callable, last_stage: str,
         traces: Path) -> None:
    os.environ.setdefault('GLOO_SOCKET_IFNAME', 'lo')
    distributed.init_process_group(
        'gloo',
        init_method=f'file://{store}',
        rank=rank,
        world_size=2,
        timeout=timedelta(minutes=5))
    torch.set_num_threads(1)
    for name, options in SCHEMES.items():
        if options and not sends_bfloat16():
            continue
        torch.manual_seed(0)
        model, batch = make()
        wrapped = MMDistributedDataParallel(model)
        step = make_step(
            name.split(',')[0], wrapped, last_stage,
            torch.optim.SGD(model.parameters(), lr=0.), **options)
        # Until all agree on what travels, and in which messages.
        for _ in range(3):
            step(batch)
        with profile(record_shapes=True) as profiler:
            step(batch)
            distributed.barrier()
        if rank == 0:
            profiler.export_chrome_trace(str(traces / _file(name)))
    # A group that is destroyed may wait for its threads for ever.
    distributed.barrier()
    os._exit(0)


def sends_bfloat16() -> bool:
    """Tell whether this group can; gloo cannot in torch 2.1."""
    try:
        distributed.all_reduce(torch.ones(1, dtype=torch.bfloat16))
    except RuntimeError:
        return False
    return True


def table(sent: dict[str, Sent]) -> str:
    """Markdown, one line per scheme."""
    header = ['scheme', 'messages', 'MiB', 'MiB / stock', 'hidden (%)']
    return markdown_table(header, [[
        name,
        str(row.messages), f'{row.num_bytes / 2**20:.2f}',
        f"{row.num_bytes / sent['stock'].num_bytes:.2f}",
        f'{100 * row.hidden:.0f}'
    ] for name, row in sent.items()])


def make_network(model: str, image_size: int,
                 batch_size: int) -> tuple[nn.Module, dict]:
    return (build_model(model, image_size, 31, 'separate'),
            make_batch(batch_size, image_size, 31, 'cpu'))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--model', choices=LAST_STAGES, default='resnet50')
    add('--image-size', type=int, default=64, help='pixels')
    add('--batch-size', type=int, default=4, help='images per domain and rank')
    add('--traces', type=Path, metavar='DIR', help='where to keep the traces')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    sent = measure(
        partial(make_network, args.model, args.image_size, args.batch_size),
        LAST_STAGES[args.model], args.traces)
    print(f'{args.model}, {args.image_size} px, {args.batch_size} images per '
          f'domain and rank, two processes, gloo, torch {torch.__version__}'
          f'\n\n{table(sent)}')


if __name__ == '__main__':
    main()
