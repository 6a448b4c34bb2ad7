"""Accuracy against the strength of the alignment, from a study's results."""
from __future__ import annotations

import statistics
from pathlib import Path

from mmgh.analysis.plots import save
from mmgh.analysis.plots.robustness import Curve, robustness_figure
from .comparison import Interval, compare
from .results import Setting

# By strength, then by pair of domains.
Points = dict[float, dict[str, Setting]]


def plot_robustness(settings: list[Setting], path: Path) -> None:
    """Draw the methods that the study has in several strengths, if any."""
    panels = robustness(settings)
    path.unlink(missing_ok=True)
    if panels:
        save(robustness_figure(panels), path)


def robustness(settings: list[Setting]) -> dict[str, dict[str, Curve]]:
    """Average over the pairs of domains that have all points of a method, and
    at each point over the seeds of all harmonizers, so that these can be
    compared; by title, then by harmonizer."""
    runs = [next(iter(setting.runs.values())) for setting in settings]
    varied = {run.get('of') for run in runs}
    methods: dict[str, dict[str, Points]] = {}
    for setting, run in zip(settings, runs):
        # What others are of is there as it was tuned.
        method = run.get('of') or setting.method
        if method in varied:
            points = methods.setdefault(method, {}).setdefault(
                setting.harmonizer, {})
            points.setdefault(float(run.get('strength') or 1),
                              {})[setting.pair] = setting
    panels = {}
    for method, harmonizers in methods.items():
        pairs = common_pairs(harmonizers)
        strengths = {s for points in harmonizers.values() for s in points}
        if pairs and len(strengths) > 1:
            domains = pairs[0] if len(pairs) == 1 else (
                f'mean of {len(pairs)} pairs')
            panels[f'{method}, {domains}'] = {
                name: curve(points, pairs)
                for name, points in of_common_seeds(harmonizers).items()
            }
    return panels


def of_common_seeds(harmonizers: dict[str, Points]) -> dict[str, Points]:
    """Keep at each strength and pair the seeds that all harmonizers have
    there: means of others would differ by the seeds."""

    def restricted(setting: Setting, strength: float) -> Setting:
        there = [points[strength][setting.pair].runs
                 for points in harmonizers.values()
                 if setting.pair in points.get(strength, ())]
        common = set.intersection(*map(set, there))
        runs = {seed: run for seed, run in setting.runs.items()
                if seed in common}
        return setting._replace(runs=runs or setting.runs)

    return {
        name: {
            strength: {pair: restricted(setting, strength)
                       for pair, setting in pairs.items()}
            for strength, pairs in points.items()
        }
        for name, points in harmonizers.items()
    }


def common_pairs(harmonizers: dict[str, Points]) -> list[str]:
    """Name the pairs that are there for all harmonizers and strengths."""
    points = [pairs for strengths in harmonizers.values()
              for pairs in strengths.values()]
    return [pair for pair in points[0] if all(pair in p for p in points)]


def curve(points: Points, pairs: list[str]) -> Curve:
    strengths = sorted(points)
    intervals = [
        mean_accuracy([points[strength][pair] for pair in pairs])
        for strength in strengths
    ]
    return Curve(strengths, *zip(*intervals))


def mean_accuracy(settings: list[Setting]) -> Interval:
    """Count each pair once. Of single runs the interval is not known."""
    groups = [setting.values('accuracy') for setting in settings]
    found = compare(groups)
    if found:
        return found.interval
    return Interval(*[statistics.mean(map(statistics.mean, groups))] * 3)
