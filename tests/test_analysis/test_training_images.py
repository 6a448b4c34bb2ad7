"""What is shown of the training data is what the network gets."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mmgh.analysis import training_images
from mmgh.datasets import Digits, DigitsM
from ..config_names import ROOT, load

DIGITS = ROOT / 'dann/dann_lenet_1xb32-1k_digits-digits2digitsm.py'
FOLDERS = ROOT / 'folders/dann-ghpp_resnet18_folders.py'
PACK = [dict(type='PackInputs')]


def test_images_and_names_are_those_of_the_data_sets():
    cfg = load(DIGITS)
    for domain in ('source', 'target'):
        cfg.train_dataloader.dataset[domain].pipeline = PACK
    shown = training_images(cfg, 5)
    source, target = Digits('train'), DigitsM('train')
    labels = by_content(source)
    names = [source.metainfo['classes'][labels[image.tobytes()]]
             for image in shown['source'].images]
    assert shown['source'].classes == names
    contents = by_content(target)
    assert all(image.tobytes() in contents for image in shown['target'].images)
    assert shown['target'].classes is None
    assert [len(domain.images) for domain in shown.values()] == [5, 5]


def by_content(dataset) -> dict[bytes, int]:
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return {item['img'].tobytes(): item['gt_label'] for item in items}


def test_both_classes_of_a_mixed_image_are_named():
    cfg = load(DIGITS)
    plain = training_images(cfg, 12)['source']
    cfg.model.train_cfg = dict(augments=dict(type='Mixup', alpha=1.))
    cfg.data_preprocessor.num_classes = 10
    mixed = training_images(cfg, 12)['source']
    assert not np.array_equal(plain.images, mixed.images)
    shares = [dict(part.rsplit(' ', 2)[:2] if '%' in part else (part, 100)
                   for part in name.split(' + ')) for name in mixed.classes]
    assert any(len(each) == 2 for each in shares)
    # All images of a batch are mixed in the same proportion.
    assert len({frozenset(each.values()) for each in shares
                if len(each) == 2}) == 1
    for own, each in zip(plain.classes, shares):
        assert own in each
        assert sum(map(int, each.values())) in (99, 100, 101)


def test_seed_chooses_images_and_augmentation():
    cfg = load(DIGITS)

    def draw(seed: int) -> np.ndarray:
        return training_images(cfg, 4, seed)['target'].images

    assert np.array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))


@pytest.mark.parametrize('to_rgb', [True, False])
def test_files_keep_their_colours(to_rgb, tmp_path):
    """Whatever order of the channels the network gets."""
    colours = dict(source=(250, 120, 10), target=(10, 60, 240))
    for domain, colour in colours.items():
        for name in ('bike', 'mug'):
            folder = tmp_path / domain / name
            folder.mkdir(parents=True)
            Image.new('RGB', (40, 40), colour).save(folder / '0.png')
    cfg = load(FOLDERS)
    cfg.data_preprocessor.to_rgb = to_rgb
    for domain in colours:
        cfg.train_dataloader.dataset[domain].data_root = str(tmp_path / domain)
    shown = training_images(cfg, 2)
    for domain, colour in colours.items():
        assert shown[domain].images.shape == (2, 224, 224, 3)
        assert (shown[domain].images == colour).all()
    assert set(shown['source'].classes) == {'bike', 'mug'}
