"""A classifier of mmgh and what is exported of it predict the same."""
from __future__ import annotations

import inspect

import pytest
import torch
from mmengine.config import Config
from mmpretrain.models import ImageClassifier

from mmgh.deployment import probabilities_of
from mmgh.deployment.file_pipeline import image_format
from mmgh.deployment.plain_classifier import plain_classifier
from mmgh.input_error import InputError
from ..config_names import ROOT, load
from ..marked_models import MULTI_TASK
from ..marked_models import plain as plain_model
from .random_models import build, one_of_each_classifier, random_images, small

CLASSES = [f'class {i}' for i in range(400)]
OFFICE = ROOT / 'cdan/cdan-e_resnet50_1xb36-8k_office31-amazon2webcam.py'
CONFIGS = one_of_each_classifier()


def export(config, model):
    return plain_classifier(config, model.state_dict(), CLASSES)


@pytest.mark.parametrize('name', CONFIGS)
def test_predictions_stay(name):
    config = small(CONFIGS[name])
    model = build(config)
    plain_config, weights = export(config, model)
    assert 'mmgh' not in Config(plain_config).pretty_text
    assert set(plain_config['model']) <= set(
        inspect.signature(ImageClassifier).parameters) | {'type'}
    plain = build(plain_config)
    assert type(plain) is ImageClassifier
    plain.load_state_dict(weights)  # none is missing, none is left
    pipeline = plain_config['test_dataloader']['dataset']['pipeline']
    images = random_images(image_format(pipeline).shape[-1])
    expected = probabilities_of(model, images)
    assert expected.std() > 0
    torch.testing.assert_close(
        probabilities_of(plain, images), expected, atol=1e-5, rtol=1e-4)


def test_a_marked_classifier_is_the_classifier():
    """Also with its preprocessor beside the model."""
    office = small(OFFICE)
    config = small(OFFICE)
    config.model = dict(
        type='mmgh.TaskMarked', model=config.model, tasks=dict(a='b'))
    weights = build(office).state_dict()
    of_model, of_marked = (
        plain_classifier(one, weights, CLASSES) for one in (office, config))
    assert of_marked[0] == of_model[0]
    assert list(of_marked[1]) == list(of_model[1])


def test_scores_of_several_labels_are_refused():
    with pytest.raises(InputError, match='`model` should be a classifier, .* '
                       r"MultiTaskDataSample of \['digit', 'parity'\]"):
        probabilities_of(
            plain_model(MULTI_TASK).eval(), torch.zeros(2, 3, 28, 28))


def test_every_kind_of_part_is_among_them():
    types = {
        part['type']
        for path in CONFIGS.values() for part in parts(load(path).model)
    }
    assert types >= {
        'mmgh.Bottleneck', 'mmgh.BridgeClsHead', 'mmgh.DigitsLeNet',
        'mmgh.DigitsDTN', 'mmpretrain.StackedLinearClsHead'
    }
    bottlenecks = [
        part for path in CONFIGS.values() for part in parts(load(path).model)
        if part['type'] == 'mmgh.Bottleneck'
    ]
    assert {part.get('norm_act', False) for part in bottlenecks} == {
        False, True
    }


def parts(model: dict):
    for name in ('backbone', 'neck', 'head'):
        part = model.get(name) or []
        yield from part if isinstance(part, list) else [part]


def test_nothing_of_the_original_is_changed():
    config = small(CONFIGS['gvb_resnet50'])
    model = build(config)
    before = config.pretty_text
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    export(config, model)
    assert config.pretty_text == before
    torch.testing.assert_close(dict(model.state_dict()), weights)


def test_only_what_testing_needs_is_left():
    config = small(OFFICE)
    config.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='x')
    config.test_evaluator = [
        dict(type='Accuracy', topk=(1, 3)), dict(type='mmgh.Something')
    ]
    plain, _ = export(config, build(small(OFFICE)))
    assert set(plain) == {
        'default_scope', 'model', 'data_preprocessor', 'test_dataloader',
        'test_cfg', 'test_evaluator'
    }
    assert 'init_cfg' not in str(plain['model'])
    assert plain['test_evaluator'] == [dict(type='Accuracy', topk=(1, 3))]
    assert plain['test_dataloader'] == config.test_dataloader.to_dict()


def test_a_list_of_images_stays_a_list():
    config = small(
        ROOT / 'cdan/cdan_resnet101_1xb32-75k_domainnet-clipart2sketch.py')
    original = config.test_dataloader.dataset
    plain, _ = plain_classifier(config, build(config).state_dict(),
                                CLASSES[:345])
    assert plain['test_dataloader']['dataset'] == dict(
        type='CustomDataset',
        data_root=original.data_root,
        ann_file=original.ann_file,
        metainfo=dict(classes=CLASSES[:345]),
        pipeline=original.to_dict()['pipeline'])


@pytest.mark.parametrize('kind, stays', [('CustomDataset', True),
                                         ('mmgh.ImageList', False)])
def test_wrapped_test_data_stay_if_mmpretrain_has_them(kind, stays):
    config = small(OFFICE)
    part = dict(config.test_dataloader.dataset, type=kind)
    wrapped = dict(type='ConcatDataset', datasets=[part, part])
    config.test_dataloader.dataset = wrapped
    plain, _ = plain_classifier(config, build(config).state_dict(), CLASSES)
    dataset = plain['test_dataloader']['dataset']
    assert (dataset['type'] == 'ConcatDataset') == stays
    if not stays:
        assert dataset['data_root'] == 'data/test'
        assert dataset['pipeline'] == part['pipeline']


def test_without_labels_nothing_is_evaluated():
    config = small(OFFICE)
    model = build(small(OFFICE))
    assert export(config, model)[0]['test_evaluator']
    config.test_dataloader.dataset.with_label = False
    assert export(config, model)[0]['test_evaluator'] == []


def test_weights_of_a_preprocessor_lose_the_one_around_it():
    config = small(OFFICE)
    weights = build(config).state_dict()
    gamma = torch.ones(1)
    weights['data_preprocessor.preprocessor.gamma'] = gamma
    _, plain = plain_classifier(config, weights, CLASSES)
    assert plain['data_preprocessor.gamma'] is gamma


def test_types_without_a_translation_are_named():
    config = small(OFFICE)
    config.model.head.loss = dict(type='mmgh.UnknownLoss')
    with pytest.raises(ValueError, match='mmgh.UnknownLoss.*ONNX can'):
        export(config, build(small(OFFICE)))


def test_other_models_are_refused():
    config = small(OFFICE)
    config.model.type = 'SimSiam'
    with pytest.raises(ValueError, match='`model` .* is a SimSiam'):
        export(config, build(small(OFFICE)))


def test_without_test_data_those_of_the_validation_count():
    config = small(OFFICE)
    expected, _ = export(config, build(small(OFFICE)))
    config.val_dataloader, config.test_dataloader = (
        config.test_dataloader, None)
    config.val_evaluator, config.test_evaluator = config.test_evaluator, None
    plain, _ = export(config, build(small(OFFICE)))
    assert plain == expected


def test_a_pipeline_is_needed():
    config = small(OFFICE)
    config.test_dataloader = config.val_dataloader = None
    with pytest.raises(ValueError, match='`val_dataloader.dataset` .*none'):
        export(config, build(small(OFFICE)))
