"""What the test pipeline of a config does to image files."""
from __future__ import annotations

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.dataset import Compose
from PIL import Image

from mmgh.config_data import innermost_datasets, pipeline_of, target_loader
from mmgh.datasets import DigitsM
from mmgh.deployment.file_pipeline import file_pipeline, image_format

LOAD = dict(type='LoadImageFromFile')
PACK = dict(type='PackInputs')


def config(*pipeline, **dataset) -> Config:
    dataset = dict(dataset, pipeline=list(pipeline))
    return Config(dict(test_dataloader=dict(dataset=dataset)))


def test_digits_are_read_as_the_data_set_gives_them(tmp_path):
    dataset = DigitsM('test', [PACK])
    pipeline = file_pipeline(config(PACK, type='mmgh.DigitsM', split='test'))
    assert image_format(pipeline) == ((3, 28, 28), 'RGB')
    compose = Compose(pipeline)
    for i in range(5):
        inputs = dataset[i]['inputs']
        path = tmp_path / f'{i}.png'
        Image.fromarray(inputs.permute(1, 2, 0).numpy()).save(path)
        assert compose(dict(img_path=str(path)))['inputs'].equal(inputs)


def test_pipelines_that_read_files_stay():
    resize = dict(type='Resize', scale=(32, 24))
    cfg = config(LOAD, resize, PACK)
    assert file_pipeline(cfg) == [LOAD, resize, PACK]
    assert image_format(file_pipeline(cfg)) == ((3, 24, 32), 'BGR')


def test_target_of_both_domains_counts():
    target = dict(pipeline=[LOAD, PACK])
    cfg = Config(
        dict(test_dataloader=dict(dataset=dict(source=None, target=target))))
    assert file_pipeline(cfg) == [LOAD, PACK]


def test_without_test_data_those_of_the_validation_count():
    cfg = config(LOAD, PACK)
    cfg.val_dataloader = dict(dataset=dict(pipeline=[LOAD, PACK, PACK]))
    assert file_pipeline(cfg) == [LOAD, PACK]
    cfg.test_dataloader = None
    assert file_pipeline(cfg) == [LOAD, PACK, PACK]
    assert target_loader(cfg) == cfg.val_dataloader
    cfg.val_dataloader = None
    with pytest.raises(ValueError, match='`test_dataloader.dataset` or '
                       '`val_dataloader.dataset` .* config has none'):
        file_pipeline(cfg)


def test_gray_images():
    gray = dict(LOAD, color_type='grayscale')
    resize = dict(type='Resize', scale=(8, 8))
    assert image_format([gray, resize, PACK]) == ((1, 8, 8), 'gray')


def test_images_of_several_sizes_have_no_format():
    with pytest.raises(ValueError, match='one size, but gives'):
        image_format([LOAD, PACK])


def test_a_pipeline_that_fails_says_with_what():
    resize = dict(type='Resize', scale=(0, 8))
    with pytest.raises(ValueError, match='take images of any size .*with an '
                       'image of 480 x 320 pixels it ends in .*: '):
        image_format([LOAD, resize, PACK])
    with pytest.raises(ValueError, match='`inputs`, .*KeyError: .inputs'):
        image_format([LOAD])


@pytest.mark.parametrize('mode', ['L', 'LA', 'RGBA', 'P', '1'])
def test_all_kinds_of_files_are_read(mode, tmp_path):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 255
    path = tmp_path / 'image.png'
    Image.fromarray(pixels).convert(mode).save(path)
    inputs = Compose([LOAD, PACK])(dict(img_path=str(path)))['inputs']
    assert inputs.permute(1, 2, 0).numpy().tolist() == pixels.tolist()


def test_wrapped_data_sets_are_found():
    digits = dict(type='mmgh.Digits', split='test', pipeline=[PACK])
    cfg = config()
    cfg.test_dataloader.dataset = wrapped = dict(
        type='ConcatDataset',
        datasets=[
            dict(type='RepeatDataset', times=2,
                 dataset=dict(type='KFoldDataset', dataset=digits)),
            dict(digits, pipeline=[]), digits
        ])
    assert file_pipeline(cfg)[-1] == PACK
    assert pipeline_of(cfg.test_dataloader.dataset) == [PACK]
    assert innermost_datasets(wrapped, 'a') == {
        'a.datasets.0.dataset.dataset': digits,
        'a.datasets.1': dict(digits, pipeline=[]),
        'a.datasets.2': digits
    }
