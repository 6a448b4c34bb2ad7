from __future__ import annotations

from hashlib import sha256
from typing import Sequence

import torch
from torch import distributed as dist


def common_tasks(tasks: Sequence[str],
                 device: torch.device | str) -> list[str]:
    """Return the names of the tasks in the order of rank 0; all ranks call it
    at once.

    They compare two numbers. Only if those differ do names travel.

    Args:
        tasks (Sequence[str]): On this rank, in any order.
        device (torch.device | str): Where the numbers travel.

    Raises:
        RuntimeError: On all ranks, if they have different tasks.
    """
    number = int.from_bytes(sha256(repr(list(tasks)).encode()).digest()[:7],
                            'big')
    ends = torch.tensor([number, -number], device=device)
    dist.all_reduce(ends, dist.ReduceOp.MAX)
    most, least = ends.tolist()
    if most == -least:
        return list(tasks)
    by_rank: list = [None] * dist.get_world_size()
    dist.all_gather_object(by_rank, list(tasks))
    first, *others = by_rank
    for rank, found in enumerate(others, start=1):
        if set(found) != set(first):
            raise RuntimeError(
                'All ranks should have losses of the same tasks in a step, '
                f'but rank 0 has {sorted(first)} and rank {rank} '
                f'{sorted(found)}. Where a batch has nothing for a task, its '
                'loss may be 0 times the mean of its outputs.')
    return first
