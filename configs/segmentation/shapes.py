"""A data set of two domains to segment, which is drawn: no download."""
import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

SIZE = 48
SPLITS = dict(train=64, test=32)
# Of the background, of discs and of squares; BGR.
COLOURS = dict(
    day=[[60, 60, 60], [110, 140, 210], [210, 140, 110]],
    night=[[40, 25, 20], [75, 70, 100], [130, 75, 50]])


@DATASETS.register_module()
class Shapes(BaseDataset):
    """A disc and a square, by day or by night, under noise.

    Args:
        domain (str): ``'day'`` or ``'night'``. No shapes are in both.
        split (str): ``'train'`` or ``'test'``.
        pipeline (Sequence): Transforms of mmseg, such as
            ``[dict(type='PackSegInputs')]``.
    """

    METAINFO = dict(
        classes=('background', 'disc', 'square'),
        palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])

    def __init__(self, domain, split, pipeline=()):
        self.domain, self.split = domain, split
        super().__init__(pipeline=pipeline)

    def load_data_list(self):
        seed = list(COLOURS).index(self.domain) + 2 * (self.split == 'test')
        random = np.random.RandomState(seed)
        return [self._draw(random) for _ in range(SPLITS[self.split])]

    def _draw(self, random):
        labels = np.zeros((SIZE, SIZE), np.uint8)
        rows, columns = np.mgrid[:SIZE, :SIZE]
        for label in (1, 2):
            radius = random.randint(6, 12)
            top, left = random.randint(radius, SIZE - radius, 2)
            away = np.abs([rows - top, columns - left])
            distance = np.hypot(*away) if label == 1 else away.max(axis=0)
            labels[distance < radius] = label
        image = np.array(COLOURS[self.domain])[labels]
        image = image + random.normal(0, 20, image.shape)
        # As mmseg has them after its steps that load.
        return dict(
            img=image.clip(0, 255).astype(np.uint8),
            gt_seg_map=labels,
            seg_fields=['gt_seg_map'],
            img_path=f'a drawing of the {self.domain}',
            img_shape=labels.shape,
            ori_shape=labels.shape,
            reduce_zero_label=False)
