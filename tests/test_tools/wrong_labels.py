"""DigitsM whose labels tell nothing; imported by a config of a test."""
from __future__ import annotations

from mmgh.datasets import DigitsM
from mmgh.registry import DATASETS


@DATASETS.register_module()
class DigitsMWithLabelsShuffled(DigitsM):

    def load_data_list(self):
        items = super().load_data_list()
        return [
            dict(item, gt_label=(3 * item['gt_label'] + i) % 10)
            for i, item in enumerate(items)
        ]


@DATASETS.register_module()
class DigitsMWithLabelsRemoved(DigitsM):

    def load_data_list(self):
        return [dict(img=item['img']) for item in super().load_data_list()]
