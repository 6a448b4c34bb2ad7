from __future__ import annotations

from typing import NamedTuple, Sequence

from .comparison import Comparison, compare
from .plan import NULL
from .results import Setting, differences, find


class Contrast(NamedTuple):
    """What a harmonizer changes, beside what a mere rounding does."""

    baseline: Comparison | None
    """Harmonizer minus baseline."""
    null: Comparison | None
    """Harmonizer minus null control."""
    null_to_baseline: Comparison | None
    """Null control minus baseline."""
    of_null: bool
    """Whether this is the null control."""

    @property
    def verdict(self) -> str:
        """Say in words what the intervals allow to say."""
        if self.baseline is None:
            return '-'
        if not self.baseline.excludes_zero:
            return 'no difference beyond chance'
        if self.of_null:
            return 'differs, by chance alone'
        better = self.baseline.mean > 0
        text = f'{"better" if better else "worse"} than the baseline'
        if self.null is None:
            return f'{text}; no null to compare with'
        alike = self.null.excludes_zero and (self.null.mean > 0) == better
        return f'{text}{" and than" if alike else ", but not than"} the null'


def contrast(group: Sequence[Setting], settings: list[Setting]) -> Contrast:
    """Compare a harmonizer with the baseline and the null control.

    Args:
        group (Sequence[Setting]): The harmonizer on some pairs and methods.
        settings (list[Setting]): All of the study.
    """
    to_baseline, to_null, null_to_baseline = [], [], []
    for setting in group:
        baseline = find(settings, *setting[:2], setting.baseline)
        null = find(settings, *setting[:2], NULL)
        to_baseline.append(differences(setting, baseline))
        to_null.append(differences(setting, null))
        null_to_baseline.append(differences(null, baseline))
    return Contrast(
        *(compare([values for values in groups if values])
          for groups in (to_baseline, to_null, null_to_baseline)),
        group[0].harmonizer == NULL)


def by_harmonizer(settings: list[Setting]) -> dict[str, list[Setting]]:
    """Group what has differences to the baseline."""
    groups: dict[str, list[Setting]] = {}
    for setting in settings:
        baseline = find(settings, *setting[:2], setting.baseline)
        if differences(setting, baseline):
            groups.setdefault(setting.harmonizer, []).append(setting)
    return groups
