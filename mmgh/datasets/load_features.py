from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from mmgh.arguments import number
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
        number(at_least=0, whole=True).or_none().check(view=view)
        self.view = view

    def transform(self, results: dict) -> dict:
        """Add ``features``, float32, shape ``(D, )``."""
        views = open_features(results['features_path'])
        view = self.view
        if view is None:
            view = np.random.randint(len(views))
        number(
            at_least=0,
            below=len(views),
            whole=True,
            since=f"{results['features_path']} has {len(views)} views").check(
                view=view)
        results['features'] = views[view, results['row']].astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(view={self.view})'
