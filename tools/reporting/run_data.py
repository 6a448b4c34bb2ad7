"""The images of a run."""
from __future__ import annotations

from torch.utils.data import Dataset

from mmgh.analysis import domain_datasets, has_domain_pair, target_dataset
from .report_run import ReportRun


def datasets_of(run: ReportRun, runs: list[ReportRun]) -> dict[str, Dataset]:
    """Build them by domain. A run that names no source, as one that is
    trained on a source alone, gets that of another run with the same test
    data.

    Raises:
        InputError: If there are no test data, or not where they should be, or
            if their classes are not those of the run.
    """
    classes = run.trained.named_classes
    for other in (run, *runs):
        if has_domain_pair(other.cfg) and _test_data(other) == _test_data(run):
            return domain_datasets(other.cfg, classes)
    return dict(target=target_dataset(run.cfg, classes))


def _test_data(run: ReportRun) -> dict:
    return (run.cfg.get('test_dataloader') or {}).get('dataset')
