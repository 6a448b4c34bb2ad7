from __future__ import annotations

from typing import Sequence

from mmpretrain.datasets import BaseDataset

from mmgh.arguments import COUNT, NAME, NAMES
from mmgh.feature_files import features_path, read_domain
from mmgh.input_error import InputError
from mmgh.registry import DATASETS


@DATASETS.register_module()
class FeatureFolder(BaseDataset):
    """Frozen features of one domain, in place of its images.

    ``tools/extract_features.py`` makes them with any network, once. A network
    that goes on from them, behind the backbone :class:`mmgh.models.PassOn`,
    trains in seconds. They stay on disk, and :class:`LoadFeatures` loads what
    is asked for.

    Args:
        data_root (str): The folder.
        domain (str): Name of the domain in it.
        keep_classes (int | Sequence[str], optional): Leave out the images of
            all classes but the first so many, or but the named ones. Labels
            and names of classes stay what they were: so a target may lack
            some of the classes. Defaults to None: all.
        pipeline (Sequence): Transforms, the first of them
            :class:`LoadFeatures`.
        **kwargs: Further arguments of mmpretrain's ``BaseDataset``.

    Example:
        >>> dataset = dict(
        ...     type='mmgh.FeatureFolder',
        ...     data_root='data/features/office31_lite0',
        ...     domain='amazon',
        ...     pipeline=[
        ...         dict(type='mmgh.LoadFeatures'),
        ...         dict(type='PackInputs', input_key='features')])
    """

    def __init__(self,
                 data_root: str,
                 domain: str,
                 keep_classes: int | Sequence[str] | None = None,
                 pipeline: Sequence = (),
                 **kwargs) -> None:
        NAME.check(domain=domain)
        if isinstance(keep_classes, int):
            COUNT.check(keep_classes=keep_classes)
        else:
            NAMES.or_none().check(keep_classes=keep_classes)
        self.domain = domain
        self.keep_classes = keep_classes
        super().__init__(
            ann_file='', data_root=data_root, pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Where the features of each image are, and its label."""
        found = read_domain(self.data_root, self.domain)
        self.with_label = found.labels is not None
        self._metainfo['network'] = found.network
        path = str(features_path(self.data_root, self.domain))
        images = [
            dict(features_path=path, row=row, img_path=file)
            for row, file in enumerate(found.files)
        ]
        if not self.with_label:
            return images
        self._metainfo['classes'] = tuple(found.classes)
        kept = self._kept_labels(found.classes)
        return [
            dict(image, gt_label=label)
            for image, label in zip(images, found.labels) if label in kept
        ]

    def _kept_labels(self, classes: Sequence[str]) -> set[int]:
        kept = self.keep_classes
        if kept is None:
            kept = len(classes)
        if isinstance(kept, int):
            kept = classes[:kept]
        unknown = sorted(set(kept) - set(classes))
        if unknown:
            raise InputError(
                '`keep_classes` should be among the classes of '
                f'{self.domain!r}, but got {unknown}.')
        return {classes.index(name) for name in kept}

    def extra_repr(self) -> list[str]:
        return [f'Domain: \t{self.domain}']
