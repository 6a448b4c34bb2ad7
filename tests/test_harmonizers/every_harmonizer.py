"""The list of all harmonizers, by which their common promises are tested.

A new harmonizer needs one line in ``HARMONIZERS``, and nothing else in the
tests but what is its own, such as its formula.
"""
from __future__ import annotations

import pytest

from mmgh.harmonizers import PairHarmonizer
from mmgh.registry import TASK_UTILS

TASKS = ('alignment', 'cls', 'other')


class Entry:
    """A harmonizer, and the facts about it.

    Args:
        kind (str): Name of its class.
        is_fair (bool): Whether it treats all tasks alike, so that their order
            does not matter.
        is_neutral (bool): Whether all its weights are 1 where a gradient is
            zero or not finite.
        needs (str, optional): Package without which it is not tested.
        num_tasks (int, optional): How many it takes, if its class does not
            say so.
        **options: Its arguments.
    """

    def __init__(self,
                 kind: str,
                 *,
                 is_fair: bool = True,
                 is_neutral: bool = True,
                 needs: str | None = None,
                 num_tasks: int | None = None,
                 **options) -> None:
        self.kind = kind
        self.is_fair = is_fair
        self.is_neutral = is_neutral
        self.needs = needs
        self.num_tasks = num_tasks
        self.config = dict(type=f'mmgh.{kind}', **options)

    def __repr__(self) -> str:
        """The id of its tests."""
        options = ','.join(f'{key}={value}'
                           for key, value in self.config.items()
                           if key != 'type')
        return self.kind + f'({options})' * bool(options)

    def build(self, num_tasks: int = 2):
        """One without a past."""
        if self.needs:
            pytest.importorskip(self.needs)
        harmonizer = TASK_UTILS.build(self.config)
        harmonizer.prepare(TASKS[:num_tasks])
        return harmonizer

    @property
    def is_of_pairs(self) -> bool:
        """Whether it changes nothing where two gradients do not conflict."""
        return issubclass(self._class, PairHarmonizer)

    @property
    def numbers_of_tasks(self) -> tuple[int, ...]:
        """The number that it takes, or two of any."""
        number = self.num_tasks or self._class.num_tasks
        return (2, 3) if number is None else (number, )

    @property
    def _class(self) -> type:
        return TASK_UTILS.get(self.config['type'])


HARMONIZERS = [
    Entry(
        'Constant',
        is_fair=False,
        is_neutral=False,
        weights=dict(alignment=0.5)),
    Entry('GH'),
    Entry('GHPlusPlus'),
    Entry('GHPlusPlus', is_fair=False, harmonic_range=0),
    Entry('GHPlusPlus', is_fair=False, harmonic_range=1),
    Entry('GHPlusPlus', is_fair=False, form='published'),
    Entry('GradVac'),
    Entry('Observe'),
    Entry('RelativeClip', is_fair=False),
    Entry(
        'RelativeClip',
        is_fair=False,
        num_tasks=2,
        harmonizer=dict(type='mmgh.GHPlusPlus')),
    Entry('TorchJD', needs='torchjd', name='GradVac', is_fair=False),
    Entry('TorchJD', needs='torchjd', name='IMTLG'),
    Entry('TorchJD', needs='torchjd', name='PCGrad', is_fair=False),
]
