"""Images that stay in memory are those of the files, for all processes."""
from __future__ import annotations

import copy
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS
from PIL import Image
from torch.utils.data import DataLoader

from mmgh.input_error import InputError

GIB = 2**30
MODES = {'RGB': 'png', 'L': 'jpg', 'RGBA': 'png', 'P': 'png', 'I;16': 'png'}
ROTATED = 6


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two classes, of all kinds of images; one of them is to be rotated."""
    draw = np.random.default_rng(0)
    for label in ('a', 'b'):
        (tmp_path / label).mkdir()
        for mode, ending in MODES.items():
            pixels = draw.integers(256, size=(9, 13, 4), dtype=np.uint8)
            image = Image.fromarray(pixels, 'RGBA').convert('RGB')
            if mode == 'I;16':
                image = Image.fromarray(
                    draw.integers(2**16, size=(9, 13), dtype=np.uint16))
            else:
                image = image.convert(mode)
            image.save(tmp_path / label / f'{mode[0]}{len(mode)}.{ending}')
        exif = Image.Exif()
        exif[0x0112] = ROTATED
        pixels = draw.integers(256, size=(8, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(
            tmp_path / label / 'rotated.jpg', exif=exif)
    return tmp_path


def build(folder: Path, backend: str = 'cv2', **changes):
    return DATASETS.build(
        dict(type='mmgh.ImageFolder',
             data_root=str(folder),
             pipeline=[
                 dict(type='LoadImageFromFile', imdecode_backend=backend),
                 dict(type='RandomCrop', crop_size=8),
                 dict(type='RandomFlip', prob=0.5),
                 dict(type='PackInputs')
             ]) | changes)


def samples(dataset) -> list[dict]:
    """The same random numbers for each of them."""
    items = []
    for i in range(len(dataset)):
        np.random.seed(i)
        items.append(dataset[i])
    return items


def assert_same(first: list[dict], second: list[dict]) -> None:
    for one, other in zip(first, second):
        assert torch.equal(one['inputs'], other['inputs'])
        one, other = one['data_samples'], other['data_samples']
        assert one.metainfo == other.metainfo
        assert torch.equal(one.gt_label, other.gt_label)


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_samples_are_those_of_the_files(folder, backend):
    """Bit for bit, whether decoded or not; nor do transforms change what is
    kept. That they come of no file is shown by taking these away."""
    plain = samples(build(folder, backend))
    cached = build(folder, backend, cache='memory')
    assert_same(samples(cached), plain)
    # Random numbers are those of the same process.
    shutil.rmtree(folder)
    for _ in range(2):
        assert_same(samples(cached), plain)


def test_what_is_kept_is_not_handed_out(folder):
    """But a copy, which transforms may write to."""
    loader = build(folder, cache='memory').pipeline.transforms[0]
    image = dict(img_path=str(folder / 'a/rotated.jpg'))
    first = loader(dict(image))['img'].copy()
    loader(dict(image))['img'][:] = 0
    assert (loader(dict(image))['img'] == first).all() and first.any()


def unpacked(batch: list[dict]) -> tuple[str, torch.Tensor]:
    return [(item['data_samples'].img_path, item['inputs']) for item in batch]


def test_workers_share_what_any_of_them_decoded(folder):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    plain = build(folder, pipeline=pipeline)
    expected = dict(unpacked(plain))
    loader = DataLoader(
        build(folder, pipeline=pipeline, cache='memory'),
        batch_size=1,
        num_workers=2,
        collate_fn=unpacked,
        multiprocessing_context='fork')
    list(loader)
    shutil.rmtree(folder)
    # Two new processes, and this one.
    for batches in (loader, map(unpacked, [list(loader.dataset)])):
        found = dict(item for batch in batches for item in batch)
        assert found.keys() == expected.keys()
        for path, image in found.items():
            assert torch.equal(image, expected[path])


def test_data_sets_of_the_same_images_share_them(folder):
    """Also a part of one, whose numbers are others."""
    first = build(folder, cache='memory')
    plain = samples(first)
    second = build(folder, cache='memory')
    other = build(folder, 'pillow', cache='memory')
    part = copy.deepcopy(first).get_subset([3, 1])
    shutil.rmtree(folder)
    assert_same(samples(second), plain)
    with pytest.raises(FileNotFoundError):
        other[0]
    np.random.seed(3)
    assert torch.equal(part[0]['inputs'], plain[3]['inputs'])


def test_more_than_the_bound_is_refused_with_the_figure(tmp_path):
    for name in 'ab':
        (tmp_path / name).mkdir()
        Image.new('RGB', (3000, 2000)).save(tmp_path / name / 'image.png')
    needed = 2 * 3000 * 2000 * 3 / GIB  # 0.0335
    build(tmp_path, cache='memory', cache_gib=needed)
    with pytest.raises(InputError, match='`cache_gib` should be at least 0.04,'
                       ' which the 2 images take .* got 0.03'):
        build(tmp_path, cache='memory', cache_gib=0.03)
    build(tmp_path, cache_gib=0.03)


def test_broken_image_is_told_when_its_turn_comes(folder):
    (folder / 'a/L1.jpg').write_bytes(b'no image')
    for cache in (None, 'memory'):
        dataset = build(folder, cache=cache)
        assert dataset[0]
        with pytest.raises(AssertionError, match='failed to load .*L1.jpg'):
            dataset[1]


@pytest.mark.parametrize('pipeline', [
    [],
    [dict(type='PackInputs')],
    [dict(type='LoadImageFromFile', to_float32=True)],
    [dict(type='LoadImageFromFile', color_type='unchanged')],
])
def test_other_pipelines_are_refused(folder, pipeline):
    build(folder, pipeline=pipeline)
    with pytest.raises(InputError, match='`pipeline` should begin with '):
        build(folder, pipeline=pipeline, cache='memory')


@pytest.mark.parametrize('changes, message', [
    (dict(cache='disk'), "`cache` should be None or 'memory', but got 'disk'"),
    (dict(cache_gib=0), '`cache_gib` should be a finite number above 0'),
])
def test_wrong_options_are_refused(folder, changes, message):
    with pytest.raises(InputError, match=message):
        build(folder, **changes)
