"""Probabilities by ONNX Runtime equal those of torch."""
from __future__ import annotations

import importlib.util
import json

import pytest
import torch

from mmgh.deployment import probabilities_of, run_onnx, write_onnx
from mmgh.deployment.file_pipeline import file_pipeline
from mmgh.input_error import InputError
from ..config_names import ROOT
from .onnx_packages import skip_without_onnx
from .random_models import build, random_images, small

CONFIGS = [
    'gvb/gvb_resnet50_1xb36-8k_office31-amazon2webcam.py',
    'ssrt/ssrt_vit-base-p16_1xb32-10k_office31-amazon2webcam.py',
    'dann/dann_dtn_1xb128-50k_digits-svhn2mnist.py',
]


@pytest.mark.parametrize('path', CONFIGS)
def test_any_number_of_rgb_images(path, tmp_path, capfd):
    onnx = skip_without_onnx()
    config = small(ROOT / path)
    model = build(config)
    pipeline = file_pipeline(config)
    number = config.model['head']['num_classes']
    classes = [f'class {i}' for i in range(number)]
    write_onnx(model, pipeline, classes, tmp_path / 'model.onnx')
    assert capfd.readouterr() == ('', '')
    assert [file.name for file in tmp_path.iterdir()] == ['model.onnx']

    size = 32
    for number in (1, 5):
        images = random_images(size, number)
        is_bgr = config.data_preprocessor.get('to_rgb', False)
        expected = probabilities_of(model,
                                    images.flip(1) if is_bgr else images)
        torch.testing.assert_close(
            run_onnx(tmp_path / 'model.onnx', images),
            expected,
            atol=1e-4,
            rtol=0)

    said = {
        item.key: item.value
        for item in onnx.load(tmp_path / 'model.onnx').metadata_props
    }
    assert json.loads(said['classes']) == classes
    assert (said['height'], said['width']) == ('32', '32')
    assert said['channel_order'] == 'RGB'
    for name in ('mean', 'std'):
        assert json.loads(said[name]) == pytest.approx(
            config.data_preprocessor[name])
    assert json.loads(said['pipeline'])[-1] == dict(type='PackInputs')


def test_old_torch_and_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(torch, '__version__', '2.4.1+cpu')
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, 'find_spec', lambda name: name)
        with pytest.raises(InputError, match=r'torch>=2\.5.*found 2\.4\.1'):
            write_onnx(None, [], [], 'model.onnx')
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(InputError, match='onnxscript and onnxruntime cannot'):
        write_onnx(None, [], [], 'model.onnx')
