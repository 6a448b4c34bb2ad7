"""Which files are classified, and what a wrong pipeline is told."""
from __future__ import annotations

import pytest
import torch
from mmpretrain.datasets import CustomDataset
from mmpretrain.structures import DataSample
from torch import nn

from mmgh.deployment import find_images, predict_files
from ..test_datasets.layouts import colour_of, write_image

LOAD = dict(type='LoadImageFromFile')
CROP = dict(type='CenterCrop', crop_size=40)
PACK = dict(type='PackInputs')


class Brightness(nn.Module):
    """It predicts two classes."""

    def test_step(self, data: dict) -> list[DataSample]:
        light = data['inputs'].float().mean(dim=(1, 2, 3)) / 255
        return [
            DataSample().set_pred_score(scores)
            for scores in torch.stack([light, 1 - light], dim=1)
        ]


def test_a_file_is_found_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / 'b.png', 0)
    write_image(tmp_path / 'a/c.JPG', 0)
    (tmp_path / 'a/d.txt').write_text('')
    assert [str(path) for path in find_images(['b.png', tmp_path])] == [
        'b.png', str(tmp_path / 'a/c.JPG')
    ]
    named = ['a/d.txt', 'a/../b.png', tmp_path / 'b.png', 'a', 'a']
    assert [str(path) for path in find_images(named)] == [
        'a/d.txt', 'a/../b.png', 'a/c.JPG'
    ]


@pytest.fixture
def files(tmp_path):
    """Images of 40 x 40 pixels with a broken file among them."""
    paths = [tmp_path / f'{i}.png' for i in range(4)]
    for label, path in enumerate(paths):
        write_image(path, label)
    paths[1].write_text('no image')
    return paths


def test_only_what_cannot_be_read_is_left_out(files):
    predictions = predict_files(Brightness(), [LOAD, CROP, PACK], files, 2)
    assert predictions.paths == [files[0], *files[2:]]
    assert list(predictions.broken) == [files[1]]
    light = torch.tensor([colour_of(label) for label in (0, 2, 3)]) / 255
    torch.testing.assert_close(predictions.probabilities[:, 0], light)


def test_batches_are_told_to_who_shows_progress(files):
    told = []

    def track(steps, title):
        for step in steps:
            yield step
            told.append((title, step))

    predictions = predict_files(
        Brightness(), [LOAD, CROP, PACK], files, 3, track)
    assert told == [('batches of images', 0), ('batches of images', 3)]
    assert len(predictions.paths) == 3


@pytest.mark.parametrize('pipeline, message', [
    ([LOAD, PACK], 'one size, but gives shapes'),
    ([LOAD, dict(CROP, crop_size=50), PACK],
     r'one size, but gives shape \(3, 40, 40\) for .*0.png, and \(3, 50'),
    ([LOAD, dict(type='Pad', size=(50, 50)),
      dict(type='Resize', scale=(-1, 8)), PACK], 'images of any size .* ends'),
])
def test_a_wrong_pipeline_is_no_broken_file(files, pipeline, message):
    with pytest.raises(ValueError, match=message):
        predict_files(Brightness(), pipeline, files)


def test_folders_are_listed_as_data_sets_list_them(tmp_path):
    """Links, hidden files, and folders within; no hidden folders."""
    root, elsewhere = tmp_path / 'root', tmp_path / 'elsewhere'
    for path in ('ant/0.png', 'ant/._0.png', 'ant/b/1.JPG', 'ant/2.txt',
                 'bee/.checkpoints/3.png', '.hidden/4.png', '.5.png'):
        write_image(root / f'{path}.png', 0)
        (root / f'{path}.png').rename(root / path)
    write_image(elsewhere / 'deep/6.png', 0)
    (root / 'cat').symlink_to(elsewhere)
    (root / 'ant/7.png').symlink_to(elsewhere / 'deep/6.png')
    (root / 'ant/8.png').symlink_to(tmp_path / 'nowhere.png')
    dataset = CustomDataset(data_root=str(root), with_label=False)
    listed = {dataset.get_data_info(i)['img_path']
              for i in range(len(dataset))}
    assert str(root / 'cat/deep/6.png') in listed
    assert str(root / 'ant/._0.png') not in listed
    found = find_images([root])
    # The link to an image is the same image.
    assert {str(path) for path in found} == listed - {
        str(root / name) for name in (
            'cat/deep/6.png', 'bee/.checkpoints/3.png', '.hidden/4.png')}
    assert find_images([root / '.hidden']) == [root / '.hidden/4.png']
    assert find_images([root / 'cat']) == [root / 'cat/deep/6.png']
