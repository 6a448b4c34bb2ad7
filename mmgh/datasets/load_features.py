from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from mmgh.feature_files import open_features
from mmgh.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadFeatures(BaseTransform):
    """Loads the features of an image from a :class:`FeatureFolder`.

    Args:
        view (int, optional): Which view of the image: 0 is that of the test
            pipeline of the network that made them, the others are
            augmented. Defaults to None: a random one, for training.

    Example:
        >>> test_dataloader = dict(
        ...     dataset=dict(
        ...         type='mmgh.FeatureFolder',
        ...         data_root='data/features/office31_lite0',
        ...         domain='webcam',
        ...         pipeline=[
        ...             dict(type='mmgh.LoadFeatures', view=0),
        ...             dict(type='PackInputs', input_key='features')]))
    """

    def __init__(self, view: int | None = None) -> None:
        if view is not None and not (isinstance(view, int) and view >= 0):
            raise ValueError('`view` should be a whole number of at least 0, '
                             f'or None, but got {view!r}.')
        self.view = view

    def transform(self, results: dict) -> dict:
        """Add ``features``, float32, shape ``(D, )``."""
        views = open_features(results['features_path'])
        view = self.view
        if view is None:
            view = np.random.randint(len(views))
        elif view >= len(views):
            raise ValueError(f'`view` should be less than {len(views)}, the '
                             f"number of views in {results['features_path']}, "
                             f'but got {view}.')
        results['features'] = views[view, results['row']].astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(view={self.view})'
