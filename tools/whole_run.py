"""Runs that images can be given to."""
from __future__ import annotations

import sys
from pathlib import Path

from mmengine.config import Config

from mmgh.analysis import Trained, load_trained

# What one may want to say of a run that is taken away.
OWN_MODULE = 'custom_imports.imports=MODULE for a backbone of your own'


def load_whole(path: str | Path, cfg_options: dict | None = None) -> Trained:
    """Read a checkpoint; that of a run on frozen features as if it had been
    trained with the backbone that made them.

    Modules of the user's that only the training needs are not imported.
    """
    # Not for --help: mmpretrain warns where mmcv-lite is installed.
    from mmgh.deployment.whole_classifier import (starts_from_features,
                                                  whole_classifier)
    trained = load_trained(path, cfg_options)
    if starts_from_features(trained.values.model):
        return _with(trained, *whole_classifier(
            trained.cfg, trained.weights,
            trained.content['meta']['dataset_meta']))
    if trained.untrusted_imports:
        return _without_training(trained)
    return trained


def _without_training(trained: Trained) -> Trained:
    """Leave out what only trains. If the modules are needed nevertheless, all
    stays as it is, so that who reads the config refuses them by name."""
    from mmgh.deployment.predicting_part import predicting_part
    part = predicting_part(trained.values, trained.content['state_dict'])
    if part is None:
        return trained
    names = ', '.join(trained.untrusted_imports)
    print(f'Not needed to predict, and not imported: {names}',
          file=sys.stderr)  # no result
    return _with(trained, *part)


def _with(trained: Trained, cfg: Config, weights: dict) -> Trained:
    """Replace config and weights; the options have had their effect."""
    meta = {**trained.content['meta'], 'cfg': cfg.pretty_text}
    return trained._replace(
        content={**trained.content, 'state_dict': weights, 'meta': meta},
        cfg_options=None)
