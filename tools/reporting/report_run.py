"""What a page shows of one run."""
from __future__ import annotations

from functools import cached_property
from pathlib import Path

from mmgh.analysis import load_trained, read_accuracies, read_scalars
from mmgh.analysis.conflict import PairHistory, pairs_of
from mmengine.config import Config


class ReportRun:
    """A run by its work directory.

    Args:
        name (str): To call it.
        work_dir (Path): With a checkpoint.
        metric (str): Target accuracy in the log.
    """

    def __init__(self, name: str, work_dir: Path, metric: str) -> None:
        self.name = name
        self.work_dir = work_dir
        self.metric = metric
        self.trained = load_trained(work_dir)

    @cached_property
    def cfg(self) -> Config:
        return self.trained.cfg

    @cached_property
    def classes(self) -> list[str]:
        """Names."""
        return self.trained.classes

    @cached_property
    def accuracies(self) -> dict[int, float]:
        """On target labels, by iteration; empty if they were not logged."""
        return read_accuracies(self.work_dir, self.metric)

    @cached_property
    def validations(self) -> dict[str, dict[int, float]]:
        """Each number that validation logged, by iteration."""
        training = {name.split('/', 1)[1] for name in self.trained.history
                    if name.startswith('train/')}
        curves: dict[str, dict[int, float]] = {}
        for step, scalars in sorted(read_scalars(self.work_dir).items()):
            for name, value in scalars.items():
                if name not in training | {'step', 'iter', 'epoch', 'memory'
                                           } and isinstance(
                                               value, (int, float)):
                    curves.setdefault(name, {})[step] = value
        return curves

    @cached_property
    def pairs(self) -> list[PairHistory]:
        """Of tasks that were compared; none without harmonization."""
        return pairs_of(self.trained.history, self.trained.iteration)
