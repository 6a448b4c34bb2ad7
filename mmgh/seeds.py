"""Seeds of random numbers that must not meet."""
from __future__ import annotations

import numpy as np


def mixed_seed(*numbers: int) -> int:
    """Hash several numbers, such as (seed, epoch), into one seed.

    Adding them would give neighbouring seeds the same random numbers, one
    step apart.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
