"""What a page shows of one run."""
from __future__ import annotations

from functools import cached_property
from pathlib import Path

from mmengine.config import Config

from mmgh.analysis import (Trained, accuracy_name, load_trained,
                           read_accuracies, read_scalars, validation_names)
from mmgh.analysis.conflict import PairHistory, pairs_of


class ReportRun:
    """A run by its work directory.

    Args:
        name (str): To call it.
        work_dir (Path): With a checkpoint.
        metric (str, optional): Target accuracy in the log; None for the
            usual name.
        colour (str): Of its curves and bars.
        cfg_options (dict, optional): Settings that replace those of the
            training, to find its data.
    """

    def __init__(self, name: str, work_dir: Path, metric: str | None,
                 colour: str, cfg_options: dict | None) -> None:
        self.name = name
        self.work_dir = work_dir
        self.colour = colour
        self.trained = load_trained(work_dir, cfg_options, newest=True)
        self._cfg_options = cfg_options
        self.metric = accuracy_name(work_dir, metric)

    @cached_property
    def shown(self) -> Trained:
        """What looks at the images: the checkpoint that stands for the
        run."""
        return load_trained(self.work_dir, self._cfg_options)

    @cached_property
    def cfg(self) -> Config:
        """Of the training, and the options."""
        return self.trained.cfg

    @cached_property
    def settings(self) -> Config:
        """Of the training."""
        return self.trained._replace(cfg_options=None).values

    @cached_property
    def classes(self) -> list[str]:
        """Names."""
        return self.trained.classes

    @cached_property
    def accuracies(self) -> dict[int, float]:
        """On target labels, by step of the log; empty if they were not
        logged."""
        return read_accuracies(self.work_dir, self.metric)

    @property
    def is_validated(self) -> bool:
        """Whether the last accuracy is that of the last checkpoint."""
        length = self.trained.iterations_of_step
        return bool(self.accuracies) and (
            length * max(self.accuracies) >= self.trained.iteration)

    @cached_property
    def validations(self) -> dict[str, dict[int, float]]:
        """Each number that validation logged, by iteration."""
        length = self.trained.iterations_of_step
        logged = sorted(read_scalars(self.work_dir).items())
        curves = {
            name: {
                length * step: scalars[name]
                for step, scalars in logged
                if isinstance(scalars.get(name), (int, float))
            }
            for name in validation_names(self.work_dir)
        }
        return {name: curve for name, curve in curves.items() if curve}

    @cached_property
    def pairs(self) -> list[PairHistory]:
        """Of tasks that were compared; none without harmonization."""
        return pairs_of(self.trained.history, self.trained.iteration)
