"""Runs that images can be given to."""
from __future__ import annotations

from pathlib import Path

from mmgh.analysis import Trained, load_trained


def load_whole(path: str | Path) -> Trained:
    """Read a checkpoint; that of a run on frozen features as if it had been
    trained with the backbone that made them."""
    # Not for --help: mmpretrain warns where mmcv-lite is installed.
    from mmgh.deployment.whole_classifier import (starts_from_features,
                                                  whole_classifier)
    trained = load_trained(path)
    if not starts_from_features(trained.cfg.model):
        return trained
    meta = trained.content['meta']
    cfg, weights = whole_classifier(trained.cfg, trained.weights,
                                    meta['dataset_meta'])
    return trained._replace(content={
        **trained.content, 'state_dict': weights,
        'meta': {**meta, 'cfg': cfg.pretty_text}
    })
