"""What predicts of a training with types that are not registered."""
from __future__ import annotations

import pytest
import torch
from mmengine.config import Config

from mmgh.deployment import probabilities_of
from mmgh.deployment.file_pipeline import file_pipeline, image_format
from mmgh.deployment.predicting_part import predicting_part
from ..config_names import ROOT, load
from .random_models import build, one_of_each_classifier, random_images, small

DANN = ROOT / 'dann/dann_resnet50_1xb32-20k_office31-amazon2webcam.py'
CONFIGS = one_of_each_classifier()
OWN = dict(
    custom_imports=dict(imports=['heads_of_mine']),
    custom_hooks=[dict(type='HookOfMine')])


def with_own_head(config: Config) -> Config:
    """The same, whose UDA head and hook nobody has registered."""
    values = {**config.to_dict(), **OWN}
    if 'uda_head' in values['model']:
        values['model'] = dict(
            values['model'], uda_head=dict(type='mmgh.HeadOfMine'))
    return Config(values)


@pytest.mark.parametrize('name', CONFIGS)
def test_it_predicts_the_same(name):
    config = small(CONFIGS[name])
    model = build(config)
    part, weights = predicting_part(
        with_own_head(config), model.state_dict())
    assert not {'uda_head', 'custom_imports'} & {*part, *part.model}
    plain = build(part)
    plain.load_state_dict(weights)  # none is missing, none is left
    images = random_images(image_format(file_pipeline(part)).shape[-1])
    expected = probabilities_of(model, images)
    assert expected.std() > 0
    torch.testing.assert_close(probabilities_of(plain, images), expected)


@pytest.mark.parametrize('place', [
    'model.type', 'model.backbone.type', 'model.head.type',
    'test_dataloader.dataset.type', 'test_evaluator.type'])
def test_own_types_that_predict_need_their_module(place):
    config = with_own_head(load(DANN))
    config.merge_from_dict({
        'test_evaluator': dict(_delete_=True, type='Accuracy')})
    assert predicting_part(config, {}) is not None
    config.merge_from_dict({place: 'mmgh.OneOfMine'})
    assert predicting_part(config, {}) is None
