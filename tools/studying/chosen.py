"""The checkpoint that a run chose by itself."""
from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from mmgh.analysis import read_accuracies
from mmgh.checkpoints import chosen_checkpoints, step_of_chosen


def chosen_checkpoint(cfg: Config, work_dir: Path, metric: str,
                      scale: float) -> dict:
    """Tell which checkpoint a run chose without target labels.

    Args:
        cfg (Config): Of the run.
        work_dir (Path): Of the run, which is finished.
        metric (str): What the study measures.
        scale (float): What that is multiplied by.

    Returns:
        dict: ``chosen_by``, ``chosen_iteration``, ``chosen_score`` and
        ``chosen_accuracy``; empty where nothing is chosen, or by several
        names.
    """
    files = chosen_checkpoints(work_dir)
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    name = checkpoint.get('save_best')
    if len(files) != 1 or not isinstance(name, str):
        return {}
    step = step_of_chosen(files[0])
    score, accuracy = (read_accuracies(work_dir, one).get(step)
                       for one in (name, metric))
    if score is None or accuracy is None:
        return {}
    return dict(
        chosen_by=name,
        chosen_iteration=step,
        chosen_score=score,
        chosen_accuracy=scale * accuracy)


def checkpoint_file(work_dir: Path, result: dict) -> Path | None:
    """Find the file of the chosen checkpoint; None if it is not there."""
    step = result.get('chosen_iteration')
    return next(work_dir.glob(f'best_*_{step}.pth'), None)
