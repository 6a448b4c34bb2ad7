"""What a harmonized training step costs, relative to a stock one.

    mmgh step-cost --model resnet50 --image-size 96

DANN on random weights and noise images; one model, one batch, SGD with
momentum and a learning rate of 0. The schemes are

    stock       MMEngine's OptimWrapper, the baseline
    parameters  mmgh.GHOptimWrapper(probe='parameters'), GH++
    modules     the same with probe='modules', on the last stage
    features    the same with probe='features'
    passes      a backward pass per task, and nothing else
    published   as the published GH code: two probing passes and a third
    torchjd     TorchJD's mtl_backward with UPGrad, if it is installed
    libmtl      LibMTL's PCGrad, if it is installed
    pcgrad      PCGrad in a loop as it is usually written

Each round runs every scheme once, in a rotating order, and a step is compared
with the stock step of the same round: the table has the median and the
quartiles. Peak memory is that of the tensors: of the model, the optimizer
and the batch, and of what the step adds to them. The table also has the
operations that a step starts and the values that the host asks for; on a GPU
the kernels, and how often it waits for the GPU.
"""
from __future__ import annotations

import argparse
import csv
import gc
import json
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Callable, Sequence

import numpy as np
import torch
from step_counts import host_reads, operations
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from training_steps import (LAST_STAGES, PRECISIONS, SCHEMES, build_model,
                            make_batch, make_step, missing_schemes)

from mmgh.gradients import gramian


def seconds(step: Callable[[], None], device: str) -> float:
    """Wall-clock time of a step."""
    synchronize(device)
    start = time.perf_counter()
    step()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: str) -> None:
    if device == 'cuda':
        torch.cuda.synchronize()


def time_in_rounds(steps: dict[str, Callable[[], None]], rounds: int,
                   device: str) -> dict[str, list[float]]:
    """Seconds of each scheme's step in each round."""
    names = list(steps)
    times: dict[str, list[float]] = {name: [] for name in names}
    for i in range(rounds):
        first = i % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(seconds(steps[name], device))
    return times


def peak_memory(step: Callable[[], None], live: Sequence[Tensor],
                device: str) -> int:
    """Bytes of all tensors at the moment of a step when they are most.

    Args:
        step (Callable): Runs the step.
        live (Sequence[Tensor]): All tensors that exist before it, and that
            exist after it.
        device (str): ``'cpu'`` or ``'cuda'``.
    """
    gc.collect()
    if device == 'cuda':
        torch.cuda.reset_peak_memory_stats()
        step()
        return torch.cuda.max_memory_allocated()
    return sum(tensor.nbytes for tensor in live) + peak_of_allocations(step)


def peak_of_allocations(step: Callable[[], None]) -> int:
    """Bytes of what a step allocates on the CPU, when they are most."""
    cpu = [ProfilerActivity.CPU]
    with profile(activities=cpu, profile_memory=True) as profiler:
        step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'trace.json'
        profiler.export_chrome_trace(str(path))
        events = json.loads(path.read_text())['traceEvents']
    events = [event for event in events if event['name'] == '[memory]']
    events.sort(key=lambda event: event['ts'])
    sizes = [event['args']['Bytes'] for event in events]  # negative if freed
    return int(np.cumsum(sizes).max())


def live_tensors(model: nn.Module, optimizer: torch.optim.Optimizer,
                 batch: dict) -> list[Tensor]:
    """What exists between two steps."""
    states = [
        value for state in optimizer.state.values()
        for value in state.values() if isinstance(value, Tensor)
    ]
    images = [domain['inputs'] for domain in batch.values()]
    return [*model.parameters(), *model.buffers(), *states, *images]


def started_kernels(step: Callable[[], None]) -> int:
    """How many kernels a step starts on the GPU, copies aside."""
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        step()
        torch.cuda.synchronize()
    return sum('LaunchKernel' in event.name for event in profiler.events())


def waits(step: Callable[[], None]) -> int:
    """How often a step reads a value from the GPU, which waits for it."""
    torch.cuda.set_sync_debug_mode('warn')
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            step()
    finally:
        torch.cuda.set_sync_debug_mode('default')
    return sum('synchronizing' in str(w.message) for w in caught)


def table(times: dict[str, list[float]], peaks: dict[str, int],
          gradient_bytes: int, counts: dict[str, dict[str, int]]) -> str:
    """Markdown, one line per scheme.

    Args:
        times (dict[str, list[float]]): Seconds of a step in each round.
        peaks (dict[str, int]): Bytes.
        gradient_bytes (int): Of one gradient of all parameters.
        counts (dict[str, dict[str, int]]): Further columns, by their titles.
    """
    lines = [
        '| scheme | time / stock | quartiles | step (ms) '
        '| peak memory / stock | extra gradients in memory |' +
        ''.join(f' {title} |' for title in counts),
        '| --- | ---: | ---: | ---: | ---: | ---: |' + ' ---: |' * len(counts),
    ]
    for name, values in times.items():
        ratios = np.divide(values, times['stock'])
        low, middle, high = np.percentile(ratios, (25, 50, 75))
        extra = (peaks[name] - peaks['stock']) / gradient_bytes
        lines.append(
            f'| {name} | {middle:.2f} | {low:.2f}-{high:.2f} '
            f'| {1000 * np.median(values):.1f} '
            f"| {peaks[name] / peaks['stock']:.3f} | {extra:.2f} |" +
            ''.join(f' {count[name]} |' for count in counts.values()))
    return '\n'.join(lines)


def describe(args: argparse.Namespace) -> str:
    """The settings of the measurement."""
    device = args.device
    if device == 'cuda':
        device = torch.cuda.get_device_name()
    precision = f'amp {args.amp}' + ', tf32' * args.tf32
    return (f'{args.model}, {args.image_size} px, {args.batch_size} images '
            f'per domain, {args.domain_forward} forward, {device}, '
            f'{precision}, torch {torch.__version__}, '
            f'{torch.get_num_threads()} CPU threads, {args.rounds} rounds')


def write_times(times: dict[str, list[float]], path: Path) -> None:
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['round', *times])
        writer.writerows(zip(range(len(times['stock'])), *times.values()))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--model', choices=LAST_STAGES, default='resnet50')
    add('--image-size', type=int, default=224, help='pixels')
    add('--batch-size', type=int, default=8, help='images per domain')
    add('--num-classes', type=int, default=31)
    add('--domain-forward',
        choices=['separate', 'joint'],
        default='separate')
    add('--rounds', type=int, default=10, help='steps that are timed')
    add('--warmup', type=int, default=2, help='steps that are not')
    add('--device', choices=['cpu', 'cuda'], default='cpu')
    add('--amp', choices=['none', *PRECISIONS], default='none')
    add('--tf32',
        action='store_true',
        help='matrix products of float32 by the tensor cores of a GPU')
    add('--schemes',
        nargs='+',
        choices=SCHEMES,
        default=SCHEMES,
        help='the stock step is always measured')
    add('--gpu-buckets',
        action='store_true',
        help='compare gradients in as large pieces as on a GPU, to count the '
        'operations there')
    add('--out', type=Path, help='CSV of seconds per step to write')
    args = parser.parse_args()
    if args.amp != 'none' and args.device != 'cuda':
        parser.error('--amp needs --device cuda: MMEngine has no mixed '
                     'precision on the CPU.')
    if args.device == 'cuda' and not torch.cuda.is_available():
        parser.error('--device cuda needs a GPU, but torch finds none.')
    if min(args.rounds, args.warmup) < 1:
        parser.error('--rounds and --warmup need at least 1: the first step '
                     'allocates the momentum.')
    return args


def measured_schemes(wanted: Sequence[str], amp: bool) -> list[str]:
    schemes = [name for name in SCHEMES if name in (*wanted, 'stock')]
    missing = missing_schemes(schemes)
    if amp:
        missing.update({
            name: f'{name} has no mixed precision: no row for it.'
            for name in ('torchjd', 'libmtl', 'pcgrad') if name in schemes
        })
    for sentence in missing.values():
        print(sentence)
    return [name for name in schemes if name not in missing]


def main() -> None:
    args = parse_args()
    torch.manual_seed(0)
    if args.gpu_buckets:
        gramian.COPIED_BYTES[False] = gramian.COPIED_BYTES[True]
    if args.tf32:
        torch.set_float32_matmul_precision('high')
    model = build_model(args.model, args.image_size, args.num_classes,
                        args.domain_forward).to(args.device)
    batch = make_batch(args.batch_size, args.image_size, args.num_classes,
                       args.device)
    # A rate of 0 keeps the weights, and costs as much as any.
    optimizer = torch.optim.SGD(model.parameters(), lr=0., momentum=0.9)
    steps = {}
    for name in measured_schemes(args.schemes, args.amp != 'none'):
        step = make_step(name, model, LAST_STAGES[args.model], optimizer,
                         PRECISIONS.get(args.amp))
        steps[name] = partial(step, batch)
    time_in_rounds(steps, args.warmup, args.device)
    times = time_in_rounds(steps, args.rounds, args.device)
    live = live_tensors(model, optimizer, batch)
    peaks = {
        name: peak_memory(step, live, args.device)
        for name, step in steps.items()
    }
    gradient_bytes = sum(p.nbytes for p in model.parameters())
    counted = dict(operations=operations, reads=host_reads)
    if args.device == 'cuda':
        counted = dict(kernels=started_kernels, waits=waits)
    counts = {
        title: {name: count(step) for name, step in steps.items()}
        for title, count in counted.items()
    }
    print(f'{describe(args)}\n\n'
          f'{table(times, peaks, gradient_bytes, counts)}')
    if args.out is not None:
        write_times(times, args.out)


if __name__ == '__main__':
    main()
