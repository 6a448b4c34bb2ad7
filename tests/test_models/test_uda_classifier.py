"""UDAClassifier: an ImageClassifier that also aligns two domains."""
from __future__ import annotations

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.input_error import InputError
from mmgh.models import UDAClassifier
from mmgh.task_losses import get_task_losses

PREPROCESSOR = dict(mean=[10.] * 3, std=[2.] * 3)


def model_config(**kwargs) -> dict:
    config = dict(
        type='mmgh.UDAClassifier',
        backbone=dict(type='ResNet_CIFAR', depth=18, base_channels=8,
                      stem_channels=8),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', in_channels=64, num_classes=3),
        uda_head=dict(type='mmgh.CDANHead', entropy='reversed'),
        data_preprocessor=PREPROCESSOR)
    config.update(kwargs)
    return config


def plain_config() -> dict:
    config = model_config(type='ImageClassifier')
    del config['uda_head']
    return copy.deepcopy(config)


def images(size: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(
        0, 256, (size, 3, 16, 16), generator=generator, dtype=torch.uint8)


def samples(size: int) -> list[DataSample]:
    return [DataSample().set_gt_label(i % 3) for i in range(size)]


def make_batch(source: int = 6, target: int = 4) -> DomainPair:
    return DomainPair(
        source=dict(inputs=images(source, 1), data_samples=samples(source)),
        target=dict(inputs=images(target, 2)))


def losses_of(model: UDAClassifier, batch: dict) -> dict:
    return model(**model.data_preprocessor(batch, True), mode='loss')


def test_sizes_come_from_the_classification_head():
    model = MODELS.build(model_config())
    assert model.uda_head.in_channels == 64
    assert model.uda_head.num_classes == 3


def test_config_is_not_changed():
    config = model_config()
    before = copy.deepcopy(config)
    MODELS.build(config)
    assert config == before


def test_losses_of_the_source_are_those_of_the_plain_classifier():
    model, plain = MODELS.build(model_config()), MODELS.build(plain_config())
    model.load_state_dict(plain.state_dict(), strict=False)
    batch = make_batch()
    single = plain.data_preprocessor(batch['source'], True)
    expected = plain(**single, mode='loss')['loss']
    losses = losses_of(model, batch)
    assert torch.equal(losses['loss_cls'], expected)
    assert losses['loss_domain'] > 0


def test_uda_head_gets_the_features_and_scores_of_both_domains(monkeypatch):
    model = MODELS.build(model_config()).eval()
    seen = []
    monkeypatch.setattr(model.uda_head, 'loss',
                        lambda *outputs: seen.extend(outputs) or {})
    batch = make_batch()
    losses_of(model, batch)
    for output, domain in zip(seen, ('source', 'target')):
        inputs = (batch[domain]['inputs'].float() - 10) / 2
        feats = model.extract_feat(inputs)
        torch.testing.assert_close(output.features, feats[-1])
        torch.testing.assert_close(output.logits, model.head.fc(feats[-1]))


def test_joint_and_separate_forward_agree_without_batch_statistics():
    separate = MODELS.build(model_config()).eval()
    joint = MODELS.build(model_config(domain_forward='joint')).eval()
    joint.load_state_dict(separate.state_dict())
    torch.testing.assert_close(
        losses_of(separate, make_batch()), losses_of(joint, make_batch()))


def test_joint_forward_shares_batch_statistics():
    model = MODELS.build(model_config(domain_forward='joint'))
    norm = model.backbone.bn1
    losses_of(model, make_batch())
    assert norm.num_batches_tracked == 1
    model.domain_forward = 'separate'
    losses_of(model, make_batch())
    assert norm.num_batches_tracked == 3


def test_tasks_are_the_two_heads():
    model = MODELS.build(model_config())
    total, log_vars = model.parse_losses(losses_of(model, make_batch()))
    tasks = get_task_losses(total)
    assert list(tasks) == ['alignment', 'cls']  # task 1 is alignment
    assert tasks['cls'] == log_vars['loss_cls']
    assert tasks['alignment'] == log_vars['loss_domain']
    assert total == tasks['cls'] + tasks['alignment'] == log_vars['loss']


def test_trains_under_the_stock_wrapper_as_an_ordinary_sum():
    model = MODELS.build(model_config())
    model.uda_head.reversal.iteration.fill_(1000)
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.
    twin = copy.deepcopy(model)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    model.train_step(make_batch(), wrapper)

    losses = losses_of(twin, make_batch())
    (losses['loss_cls'] + losses['loss_domain']).backward()
    for parameter, other in zip(model.parameters(), twin.parameters()):
        torch.testing.assert_close(parameter, other - 0.1 * other.grad)


def test_checkpoint_loads_into_a_plain_classifier_and_predicts_the_same():
    model, plain = MODELS.build(model_config()), MODELS.build(plain_config())
    keys = plain.load_state_dict(model.state_dict(), strict=False)
    assert not keys.missing_keys
    assert all(key.startswith('uda_head.') for key in keys.unexpected_keys)
    batch = dict(inputs=images(5), data_samples=samples(5))
    predictions = [
        net.eval().test_step(copy.deepcopy(batch)) for net in (model, plain)
    ]
    for ours, theirs in zip(*predictions):
        assert torch.equal(ours.pred_score, theirs.pred_score)


def test_batch_augmentations_mix_the_source_only():
    mixup = dict(augments=dict(type='Mixup', alpha=0.5))
    torch.manual_seed(0)
    model = MODELS.build(
        model_config(
            train_cfg=mixup,
            data_preprocessor=dict(PREPROCESSOR, num_classes=3),
            head=dict(
                type='LinearClsHead',
                in_channels=64,
                num_classes=3,
                loss=dict(type='CrossEntropyLoss', use_soft=True))))
    batch = make_batch()
    mixed = model.data_preprocessor(batch, True)
    target = (batch['target']['inputs'].float() - 10) / 2
    source = (batch['source']['inputs'].float() - 10) / 2
    torch.testing.assert_close(mixed['inputs']['target'], target)
    assert not torch.equal(mixed['inputs']['source'], source)
    assert losses_of(model, make_batch())['loss_cls'].isfinite()


@pytest.mark.parametrize('parts, message', [
    (dict(head=64, neck=[['mmgh.Bottleneck', 32, 64]]),
     '`in_channels` of Bottleneck should be 64, .* got 32'),
    (dict(head=32), '`in_channels` of LinearClsHead should be 64, .* got 32'),
    (dict(head=64, pooled=False), r'\(N, D\), but have \(6, 64, .*Pooling'),
])
@pytest.mark.parametrize('kind', ['mmgh.CDANHead', 'mmgh.MCDHead'])
def test_sizes_that_do_not_fit_are_named(kind, parts, message):
    neck = [dict(type=name, in_channels=size, out_channels=out)
            for name, size, out in parts.get('neck', ())]
    if parts.get('pooled', True):
        neck.insert(0, dict(type='GlobalAveragePooling'))
    model = MODELS.build(
        model_config(
            neck=neck or None, uda_head=dict(type=kind),
            head=dict(type='LinearClsHead', num_classes=3,
                      in_channels=parts['head'])))
    with pytest.raises(InputError, match=message):
        losses_of(model, make_batch())


@pytest.mark.parametrize('topk', [(1, 5), 5, [4]])
def test_accuracies_are_of_classes_that_there_are(topk):
    head = dict(type='LinearClsHead', in_channels=64, num_classes=3,
                topk=topk)
    MODELS.build(model_config(head=dict(head, cal_acc=False)))
    with pytest.raises(InputError, match='`head.topk` should .* 3'):
        MODELS.build(model_config(head=dict(head, cal_acc=True)))
    for fits in ((1, 3), [3]):
        model = MODELS.build(
            model_config(head=dict(head, cal_acc=True, topk=fits)))
        assert 'accuracy_top-3' in losses_of(model, make_batch())


def test_preprocessor_may_be_named_or_built():
    named = dict(type='ClsDataPreprocessor', **PREPROCESSOR)
    for config in (named, MODELS.build(named)):
        model = MODELS.build(model_config(data_preprocessor=config))
        assert losses_of(model, make_batch())['loss_cls'].isfinite()


def test_unpaired_batch_is_refused():
    model = MODELS.build(model_config())
    batch = dict(inputs=images(2), data_samples=samples(2))
    with pytest.raises(TypeError, match='domain pair.*DomainPairDataset'):
        losses_of(model, batch)


def test_paired_batch_is_refused_by_a_plain_classifier():
    plain = MODELS.build(plain_config())
    with pytest.raises(TypeError, match='one domain.*UDAClassifier'):
        plain.data_preprocessor(make_batch(), True)


@pytest.mark.parametrize('size, message', [
    (dict(in_channels=32), 'uda_head.in_channels.*64.*got 32'),
    (dict(num_classes=4), 'uda_head.num_classes.*3.*got 4'),
])
def test_wrong_size_is_refused(size, message):
    model = MODELS.build(
        model_config(uda_head=dict(type='mmgh.DANNHead', **size)))
    with pytest.raises(ValueError, match=message):
        losses_of(model, make_batch())


def test_source_without_labels_is_refused():
    model = MODELS.build(model_config())
    batch = make_batch()
    batch['source']['data_samples'] = [DataSample() for _ in range(6)]
    with pytest.raises(ValueError, match='source should have labels'):
        losses_of(model, batch)


def test_images_of_two_sizes_are_refused_jointly_only():
    batch = make_batch()
    batch['target']['inputs'] = batch['target']['inputs'][..., :12]
    assert losses_of(MODELS.build(model_config()), batch)
    model = MODELS.build(model_config(domain_forward='joint'))
    with pytest.raises(ValueError, match=r"'joint'.*\(3, 16, 16\)"):
        losses_of(model, batch)


def test_missing_uda_head_is_refused():
    with pytest.raises(TypeError, match='`uda_head`.*None'):
        MODELS.build(model_config(uda_head=None))


def test_missing_head_is_refused():
    with pytest.raises(ValueError, match='`head`.*None'):
        MODELS.build(model_config(head=None))


def test_sizes_that_no_layer_tells_are_asked_for():
    headless = dict(head=dict(type='ClsHead'))
    with pytest.raises(ValueError, match='`uda_head`.*`num_classes`'):
        MODELS.build(model_config(**headless))
    sizes = dict(type='mmgh.DANNHead', in_channels=64, num_classes=64)
    model = MODELS.build(model_config(uda_head=sizes, **headless))
    batch = make_batch()
    assert losses_of(model, batch)['loss_domain'].isfinite()


def test_unknown_forward_is_refused():
    with pytest.raises(ValueError, match="`domain_forward`.*'joint'.*'both'"):
        MODELS.build(model_config(domain_forward='both'))
