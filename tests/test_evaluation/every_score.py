"""The list of all scores, by which their common promises are tested.

A new score needs one line in ``SCORES``, and nothing else in the tests but
what is its own, such as its formula.
"""
from __future__ import annotations

from typing import Callable

from mmgh.evaluation import scores


class Entry:
    """A score, and the facts about it.

    Args:
        name (str): Of the function.
        item (str, optional): What ``UnsupervisedMetric`` calls it. Defaults
            to the same.
        of_predictions (bool): Whether these, of the target, are all that it
            takes.
        lower_is_better (bool): Whether it is lower for a better classifier.
    """

    def __init__(self,
                 name: str,
                 *,
                 item: str | None = None,
                 of_predictions: bool = True,
                 lower_is_better: bool = False) -> None:
        self.name = name
        self.item = item or name
        self.of_predictions = of_predictions
        self.lower_is_better = lower_is_better

    def __repr__(self) -> str:
        """The id of its tests."""
        return self.name

    @property
    def function(self) -> Callable:
        return getattr(scores, self.name)


SCORES = [
    Entry('dev_risk', item='dev', of_predictions=False, lower_is_better=True),
    Entry('entropy', lower_is_better=True),
    Entry('mutual_information'),
    Entry('nuclear_norm'),
    Entry('soft_neighborhood_density', item='snd'),
]
OF_PREDICTIONS = [entry for entry in SCORES if entry.of_predictions]
