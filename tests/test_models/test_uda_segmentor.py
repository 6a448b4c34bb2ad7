"""UDASegmentor: mmseg's EncoderDecoder that also aligns two domains."""
from __future__ import annotations

import copy
import pickle
import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import load_checkpoint, save_checkpoint

from mmgh.input_error import InputError
from mmgh.models import AdaptSegNetHead, UDASegmentor
from mmgh.task_losses import get_shared_features, get_task_losses
from ..config_names import SEGMENTATION

CONFIG, = SEGMENTATION


@pytest.fixture(autouse=True)
def with_mmseg(request):
    if 'without_mmseg' not in request.keywords:
        pytest.importorskip('mmseg')
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def config(**options) -> dict:
    model = Config.fromfile(CONFIG).model
    model['decode_head']['dropout_ratio'] = 0
    model['auxiliary_head']['dropout_ratio'] = 0
    return {**model, **options}


def plain_config() -> dict:
    model = config(type='EncoderDecoder')
    del model['uda_head']
    return model


def build(model: dict, seed: int = 0):
    torch.manual_seed(seed)
    return MODELS.build(copy.deepcopy(model))


def samples(number: int) -> list:
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample
    generator = torch.Generator().manual_seed(2)
    found = []
    for _ in range(number):
        sample = SegDataSample(
            metainfo=dict(img_shape=(48, 48), ori_shape=(48, 48)))
        sample.gt_sem_seg = PixelData(
            data=torch.randint(3, (1, 48, 48), generator=generator))
        found.append(sample)
    return found


def images(number: int, seed: int, size=(48, 48)) -> list:
    generator = torch.Generator().manual_seed(seed)
    return list(torch.randint(
        0, 256, (number, 3, *size), generator=generator, dtype=torch.uint8))


def batch() -> dict:
    return dict(
        source=dict(inputs=images(3, 1), data_samples=samples(3)),
        target=dict(inputs=images(2, 2)))


def losses_of(model, data: dict) -> dict:
    return model(**model.data_preprocessor(data, True), mode='loss')


def test_losses_of_the_source_are_those_of_the_plain_segmentor():
    model, plain = build(config()), build(plain_config())
    plain.load_state_dict(model.state_dict(), strict=False)
    expected = losses_of(plain, batch()['source'])
    losses = losses_of(model, batch())
    assert set(expected) < set(losses)
    for name, value in expected.items():
        assert torch.equal(losses[name], value), name


def test_tasks_are_those_of_the_heads():
    model = build(config())
    losses = losses_of(model, batch())
    tasks = get_task_losses(model.parse_losses(losses)[0])
    assert list(tasks) == ['alignment', 'cls']
    assert torch.equal(tasks['alignment'], losses['loss_domain'])
    torch.testing.assert_close(
        tasks['cls'], losses['decode.loss_ce'] + losses['aux.loss_ce'])


def test_alignment_is_the_head_s_on_maps_of_the_size_of_the_images():
    model = build(config())
    data = model.data_preprocessor(batch(), True)
    losses = model(**data, mode='loss')
    plain = copy.deepcopy(model)
    maps = [
        torch.nn.functional.interpolate(
            plain.decode_head(plain.extract_feat(data['inputs'][name])),
            (48, 48), mode='bilinear').softmax(1)
        for name in ('source', 'target')
    ]
    scores = [model.uda_head.discriminator(x) for x in maps]
    expected = (torch.nn.functional.softplus(-scores[0]).mean() +
                torch.nn.functional.softplus(scores[1]).mean()) / 2
    torch.testing.assert_close(losses['loss_domain'], expected)


def test_it_predicts_as_the_plain_segmentor():
    model, plain = build(config()).eval(), build(plain_config(), 1).eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    data = dict(inputs=images(2, 3), data_samples=samples(2))
    with torch.no_grad():
        first, second = (
            net.test_step(copy.deepcopy(data)) for net in (model, plain))
    for one, other in zip(first, second):
        assert torch.equal(one.seg_logits.data, other.seg_logits.data)
        assert torch.equal(one.pred_sem_seg.data, other.pred_sem_seg.data)


def test_checkpoints_go_both_ways(tmp_path):
    model, plain = build(config()), build(plain_config(), 1)
    path = str(tmp_path / 'checkpoint.pth')
    names = set(plain.state_dict())
    extra = set(model.state_dict()) - names
    assert names < set(model.state_dict())
    assert {name.split('.')[0] for name in extra} == {'uda_head'}
    save_checkpoint(dict(state_dict=model.state_dict()), path)
    load_checkpoint(plain, path)
    assert all(torch.equal(value, model.state_dict()[name])
               for name, value in plain.state_dict().items())
    save_checkpoint(dict(state_dict=build(plain_config(), 2).state_dict()),
                    path)
    missing = model.load_state_dict(
        torch.load(path)['state_dict'], strict=False).missing_keys
    assert set(missing) == extra


def test_target_is_padded_as_the_source_and_has_no_labels():
    model = build(config())
    data = batch()
    data['target']['inputs'] = images(1, 4, (40, 48)) + images(1, 5)
    data = model.data_preprocessor(data, True)
    assert data['inputs']['target'].shape == (2, 3, 48, 48)
    assert not data['inputs']['target'][0, :, 40:].any()
    assert len(data['data_samples']) == 3  # of the source


def test_features_are_shared_where_both_domains_are_reversed():
    """Gradients of each task, by hand, towards all that the backbone gives."""
    options = config()
    options['uda_head']['reversed_domains'] = 'both'
    model = build(options)
    total, _ = model.parse_losses(losses_of(model, batch()))
    shared = get_shared_features(total)
    gradients = {
        task: torch.autograd.grad(loss, shared.tensors, retain_graph=True,
                                  allow_unused=True)
        for task, loss in shared.task_losses.items()
    }
    # The source's come first; labels are the source's alone.
    half = len(shared.tensors) // 2
    assert half == 4
    for task, reaches_target in (('cls', False), ('alignment', True)):
        of_source, of_target = gradients[task][:half], gradients[task][half:]
        assert any(grad is not None for grad in of_source)
        assert any(grad is not None for grad in of_target) == reaches_target


@pytest.mark.parametrize('copied', [
    copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_segmentors(copied):
    from mmseg.models import EncoderDecoder
    model = build(config())
    other = copied(model)
    assert isinstance(other, (EncoderDecoder, UDASegmentor))
    assert type(other) is type(model)
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


def test_config_is_not_changed():
    options = config()
    before = copy.deepcopy(options)
    MODELS.build(options)
    assert options['uda_head'] == before['uda_head']


def test_channels_come_from_the_decode_head_and_may_be_named():
    assert build(config()).uda_head.num_classes == 3
    given = config(uda_head=AdaptSegNetHead(3))
    assert MODELS.build(given).uda_head is given['uda_head']


@pytest.mark.parametrize('base', [
    'fcn/fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py',
    'deeplabv3plus/deeplabv3plus_r50-d8_4xb2-40k_cityscapes-512x1024.py',
    'segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py',
])
def test_configs_of_mmseg_adapt_by_two_settings(base, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(
        f"_base_ = 'mmseg::{base}'\n"
        "model = dict(type='mmgh.UDASegmentor', "
        "uda_head=dict(type='mmgh.AdaptSegNetHead'))")
    options = Config.fromfile(path).model
    options.data_preprocessor.size = (64, 64)
    model = revert_sync_batchnorm(MODELS.build(options))
    losses = losses_of(model, batch())
    total, _ = model.parse_losses(losses)
    assert set(get_task_losses(total)) == {'alignment', 'cls'}
    assert total.isfinite() and losses['loss_domain'] > 0


@pytest.mark.parametrize('uda_head', [
    dict(type='mmgh.DANNHead', in_channels=3), dict(type='FCNHead', channels=3,
                                                    in_channels=3)])
def test_head_of_another_kind_is_refused(uda_head):
    with pytest.raises(InputError, match='`mmgh.models.SegUDAHead`, but got'):
        MODELS.build(config(uda_head=uda_head))


def test_one_channel_is_refused():
    options = config()
    for name in ('decode_head', 'auxiliary_head'):
        options[name].update(num_classes=2, out_channels=1, threshold=0.3)
        options[name]['loss_decode'] = dict(
            type='CrossEntropyLoss', use_sigmoid=True)
    with pytest.raises(InputError, match='at least 2.* but got 1'):
        MODELS.build(options)


@pytest.mark.without_mmseg
def test_missing_mmseg_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmseg', None)
    monkeypatch.delitem(sys.modules, 'mmseg.models', raising=False)
    with pytest.raises(RuntimeError, match='`mmgh.UDASegmentor` needs mmseg'):
        UDASegmentor(uda_head=dict(type='mmgh.AdaptSegNetHead'))
