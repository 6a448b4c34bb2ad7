"""Predictions with features, of all classifiers of this package."""
from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS

from mmgh.classifier_outputs import features_of
from ..config_names import ROOT, load
from ..shrunk_configs import make_batch

CONFIGS = [
    'dann/dann_lenet', 'ssrt/ssrt_vit-tiny', 'mcd/mcd-alternating_lenet'
]


@pytest.mark.parametrize('name', CONFIGS)
def test_features_are_what_the_last_layer_sees(name):
    config = load(ROOT / f'{name}_1xb32-1k_digits-digits2digitsm.py')
    config.model.data_preprocessor = config.data_preprocessor
    model = MODELS.build(config.model).eval()
    batch = make_batch(config, (3, 28, 28))['source']
    plain = model.test_step(batch)
    assert 'features' not in plain[0]
    config.model.predict_features = True
    wanted = MODELS.build(config.model).eval()
    wanted.load_state_dict(model.state_dict())
    found = wanted.test_step(batch)
    with torch.no_grad():
        inputs = model.data_preprocessor(batch)['inputs']
        expected = features_of(model.head, model.extract_feat(inputs))
    for sample, other, features in zip(found, plain, expected):
        assert torch.equal(sample.features, features)
        assert torch.equal(sample.pred_score, other.pred_score)
        assert torch.equal(sample.gt_label, other.gt_label)
