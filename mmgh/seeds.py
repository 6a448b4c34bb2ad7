"""Seeds of random numbers that must not meet."""
from __future__ import annotations

import random

import numpy as np
import torch


def mixed_seed(*numbers: int) -> int:
    """Hash several numbers, such as (seed, epoch), into one seed.

    Adding them would give neighbouring seeds the same random numbers, one
    step apart.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def seed_random_numbers(*numbers: int) -> None:
    """Seed Python, NumPy and torch, on all devices, by several numbers."""
    seed = mixed_seed(*numbers)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
