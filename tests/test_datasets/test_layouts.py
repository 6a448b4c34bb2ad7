"""Each base config reads its data set in the published layout."""
from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS
from torch.utils.data import default_collate

from mmgh.input_error import InputError
from .layouts import CLASSES, LAYOUTS, label_of, write_folders, write_image

BASES = Path(__file__).parents[2] / 'configs/_base_/datasets'
DIGITS = ('svhn2mnist', 'mnist2mnistm')


@pytest.fixture
def make_layout(tmp_path, monkeypatch):
    """``make_layout(base)`` makes its data where it looks for them."""
    monkeypatch.chdir(tmp_path)

    def make(name: str) -> Config:
        LAYOUTS[name][0](tmp_path / 'data')
        return Config.fromfile(BASES / f'{name}.py')

    return make


def check_labels(dataset) -> None:
    for item in (dataset[i] for i in range(len(dataset))):
        assert item['data_samples'].gt_label.item() == label_of(item['inputs'])


@pytest.mark.parametrize('name', LAYOUTS)
def test_layout_is_read(make_layout, name):
    config = make_layout(name)
    pair = DATASETS.build(config.train_dataloader.dataset)
    datasets = [pair.source, pair.target] + [
        DATASETS.build(config[f'{kind}_dataloader'].dataset)
        for kind in ('val', 'test')
    ]
    num_classes = 10 if name in DIGITS else len(CLASSES)
    *per_class, per_class_of_test = LAYOUTS[name][1]
    for dataset, count in zip(datasets, per_class + [per_class_of_test] * 2):
        assert len(dataset) == num_classes * count
        check_labels(dataset)
        names = [n for n in dataset.metainfo['classes'] if n]
        assert len(names) == num_classes
        assert name in DIGITS or tuple(names) == CLASSES


@pytest.mark.parametrize('name', LAYOUTS)
def test_batches_of_both_domains_have_one_shape(make_layout, name):
    """And only the source is labelled."""
    config = make_layout(name)
    pair = DATASETS.build(config.train_dataloader.dataset)
    item = pair[4, 3]
    assert list(item['target']) == ['inputs']
    preprocessor = MODELS.build(
        {'type': 'ClsDataPreprocessor', **config.data_preprocessor})
    source, target = (
        preprocessor(default_collate([dict(inputs=item[domain]['inputs'])]))
        for domain in ('source', 'target'))
    size = {'svhn2mnist': 32, 'mnist2mnistm': 28}.get(name, 224)
    shape = (1, 3, size, size)
    assert source['inputs'].shape == target['inputs'].shape == shape


ANOTHER_PAIR = {
    'office31_amazon2webcam': 'data_prefix="dslr/images"',
    'office_home_art2clipart': 'data_prefix="Real World"',
    'domainnet_clipart2sketch': 'ann_file="real_train.txt"',
    'folders': 'data_root="data/photos"',
}


@pytest.mark.parametrize('name', ANOTHER_PAIR)
def test_another_pair_takes_one_config(tmp_path, name):
    """As the README of the bases says."""
    path = tmp_path / 'another.py'
    path.write_text(f'_base_ = "{BASES / name}.py"\n'
                    f'source = dict({ANOTHER_PAIR[name]})\n'
                    'target = test = source\n'
                    'train_dataloader = dict('
                    'dataset=dict(source=source, target=target))\n'
                    'val_dataloader = dict(dataset=test)\n'
                    'test_dataloader = dict(dataset=test)\n')
    config, base = Config.fromfile(path), Config.fromfile(BASES / f'{name}.py')
    key, value = ANOTHER_PAIR[name].replace('"', '').split('=')
    datasets, base_datasets = ([
        c.train_dataloader.dataset.source, c.train_dataloader.dataset.target,
        c.val_dataloader.dataset, c.test_dataloader.dataset
    ] for c in (config, base))
    for changed, original in zip(datasets, base_datasets):
        assert original[key] != changed.pop(key) == value
        original.pop(key)
        assert changed == original


def test_missing_list_is_named(make_layout):
    config = make_layout('domainnet_clipart2sketch')
    Path('data/domainnet/sketch_train.txt').unlink()
    with pytest.raises(ValueError, match='target domain.*sketch_train.txt'):
        DATASETS.build(config.train_dataloader.dataset)


def test_missing_image_of_a_list_is_named(make_layout):
    config = make_layout('domainnet_clipart2sketch')
    pair = DATASETS.build(config.train_dataloader.dataset)
    Path('data/domainnet/sketch/bike/sketch_train_000001.jpg').unlink()
    with pytest.raises(InputError, match='target .*sketch_train_000001.jpg'):
        pair[0, 1]


@pytest.mark.parametrize('content', [b'', b'no image', b'\xff\xd8\xff\xe0'])
@pytest.mark.parametrize('domain', ['source', 'target'])
def test_corrupt_image_is_named(make_layout, domain, content):
    config = make_layout('folders')
    path = Path(f'data/mine/{domain}/bike/frame_0001.jpg')
    path.write_bytes(content)
    pair = DATASETS.build(config.train_dataloader.dataset)
    pair[0, 0]
    with pytest.raises(InputError, match=f'{domain} domain.*{path} failed'):
        pair[1, 1]


def test_missing_folder_is_named(make_layout):
    config = make_layout('office_home_art2clipart')
    config.train_dataloader.dataset.source.data_prefix = 'Real World'
    with pytest.raises(ValueError, match='source domain.*Real World'):
        DATASETS.build(config.train_dataloader.dataset)


def test_classes_of_both_folders_are_compared(make_layout):
    config = make_layout('folders')
    write_image(Path('data/mine/target/bottle/0.jpg'), 3)
    with pytest.raises(ValueError, match=r"target alone has \['bottle'\]"):
        DATASETS.build(config.train_dataloader.dataset)


def test_target_of_your_own_needs_no_labels(make_layout):
    config = make_layout('folders')
    for i in range(7):
        write_image(Path(f'data/mine/flat/{i}.jpg'), 0)
    dataset = config.train_dataloader.dataset
    dataset.target.update(data_root='data/mine/flat', with_label=False)
    pair = DATASETS.build(dataset)
    assert len(pair.target) == 7
    assert list(pair[0, 6]['target']) == ['inputs']


def test_classes_of_visda_are_in_the_order_of_its_lists(tmp_path):
    """Which is that of the labels 0 to 11 in image_list.txt."""
    names = ('aeroplane', 'bicycle', 'bus', 'car', 'horse', 'knife',
             'motorcycle', 'person', 'plant', 'skateboard', 'train', 'truck')
    write_folders(tmp_path, 1, reversed(names))
    dataset = Config.fromfile(
        BASES / 'visda2017_train2validation.py').test_dataloader.dataset
    dataset.update(data_root=str(tmp_path), data_prefix='')
    assert DATASETS.build(dataset).metainfo['classes'] == names
