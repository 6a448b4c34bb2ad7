from __future__ import annotations

from mmpretrain.datasets import MNIST, BaseDataset

from mmgh.arguments import one_of


class DigitImages(BaseDataset):
    """What data sets of digits share: classes, and a split into two parts.

    A subclass says in ``load_data_list`` where the images come from.

    Args:
        split (str): ``'train'`` or ``'test'``.
        pipeline (Sequence): Transforms of mmpretrain, such as
            ``[dict(type='PackInputs')]``.
        **kwargs: Further arguments of mmpretrain's ``BaseDataset``.
    """

    METAINFO = MNIST.METAINFO

    def __init__(self, split: str, pipeline=(), **kwargs) -> None:
        one_of('train', 'test').check(split=split)
        self.split = split
        super().__init__(ann_file='', pipeline=pipeline, **kwargs)

    def extra_repr(self) -> list[str]:
        return [f'Split: \t{self.split}']
