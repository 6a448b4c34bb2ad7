"""Which checkpoint of a study to take, without target labels."""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Sequence

from studying.chosen import checkpoint_file
from studying.results import read_result


class Trained(NamedTuple):
    """A finished run of a study."""

    work_dir: Path
    result: dict

    @property
    def name(self) -> str:
        return run_name(self.result['method'], self.result['harmonizer'],
                        self.result['baseline'])


def run_name(method: str, harmonizer: str, baseline: str) -> str:
    """Name a method with its harmonizer, such as ``DANN + GH``."""
    return method if harmonizer == baseline else f'{method} + {harmonizer}'


def finished_runs(out: Path, pair: str) -> list[Trained]:
    """Find the finished runs of a pair of domains that chose a checkpoint
    which is there."""
    runs = []
    for path in sorted(out.glob('*/*/*/*/result.json')):
        result = read_result(path.parent)
        if result and result['pair'] == pair and checkpoint_file(
                path.parent, result):
            runs.append(Trained(path.parent, result))
    return runs


def best_choice(runs: Sequence[Trained]) -> Trained:
    """Return the run whose chosen checkpoint has the highest score."""
    return max(runs, key=lambda run: run.result['chosen_score'])
