"""What a classifier says of the images of both domains."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmpretrain.datasets import CustomDataset

from mmgh.analysis import Trained, outputs_of, outputs_of_domains
from mmgh.datasets import Digits
from mmgh.input_error import InputError
from ..config_names import ROOT, load
from ..marked_models import MULTI_TASK, plain
from ..test_datasets.layouts import write_image

PACK = [dict(type='PackInputs')]


@pytest.fixture(scope='module')
def trained() -> Trained:
    """A network for images of 28 x 28 pixels with random weights."""
    cfg = load(ROOT / 'dann/dann_lenet_1xb32-1k_digits-digits2digitsm.py')
    torch.manual_seed(0)
    state_dict = MODELS.build(cfg.model).state_dict()
    return Trained(
        Path('dann'), dict(meta=dict(cfg=cfg.pretty_text),
                           state_dict=state_dict))


@pytest.fixture(scope='module')
def model(trained):
    return trained.build_model()


def test_a_head_of_several_labels_is_refused():
    trained = Trained(Path('multi'), dict(
        meta=dict(cfg=Config(dict(model=MULTI_TASK)).pretty_text),
        state_dict=plain(MULTI_TASK).state_dict()))
    with pytest.raises(InputError, match='`model` should be a classifier, .*'
                       'ImageClassifier with a MultiTaskHead'):
        outputs_of_domains(trained, dict(target=Digits('test', PACK)))


def test_batches_change_nothing(model):
    dataset = Digits('test', PACK)
    whole = outputs_of(model, dataset, 30, batch_size=64, seed=1)
    parts = outputs_of(model, dataset, 30, batch_size=7, seed=1)
    assert parts.indices == whole.indices == sorted(set(whole.indices))
    torch.testing.assert_close(parts.features, whole.features)
    labels = [dataset.get_data_info(i)['gt_label'] for i in whole.indices]
    assert whole.labels.tolist() == labels
    everything = outputs_of(model, dataset)
    assert everything.indices == list(range(len(dataset)))
    torch.testing.assert_close(everything.probabilities[whole.indices],
                               whole.probabilities)


@pytest.fixture
def folder(tmp_path) -> CustomDataset:
    """Two images of 40 x 40 pixels."""
    for i in range(2):
        write_image(tmp_path / f'a/{i}.png', i)
    return CustomDataset(
        str(tmp_path), pipeline=[dict(type='LoadImageFromFile'), *PACK])


@pytest.mark.parametrize('domain, setting', [
    ('source', 'train_dataloader.dataset.source'),
    ('target', 'test_dataloader.dataset')])
@pytest.mark.parametrize('content', [None, b'text'])
def test_image_that_cannot_be_read_is_named(model, folder, tmp_path, content,
                                            domain, setting):
    path = tmp_path / 'a/1.png'
    path.unlink()
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError) as error:
        outputs_of(model, folder, domain=domain)
    message = str(error.value)
    assert f'image of the {domain} should' in message
    assert f'{path} ended in ' in message
    assert f'a setting says where, such as `{setting}.data_root=' in message
    assert error.value.argument == 'cfg_options'


def test_labels_beyond_the_classes_of_the_model_are_refused(trained):
    """Data without names of classes may have them."""
    dataset = Digits('test', PACK)
    dataset.get_data_info = lambda i: dict(
        Digits.get_data_info(dataset, i), gt_label=10)
    with pytest.raises(InputError, match='labels of the target should be '
                       'below 10, .* but one is 10'):
        outputs_of_domains(trained, dict(target=dataset), max_images=3)


def test_images_of_another_size_are_refused(trained, folder):
    with pytest.raises(InputError, match='dann should take the images of the '
                       'source, but ends in RuntimeError'):
        outputs_of_domains(trained, dict(source=folder))
