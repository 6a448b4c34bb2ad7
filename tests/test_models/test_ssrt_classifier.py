"""SSRTClassifier: a UDAClassifier with self-refinement."""
from __future__ import annotations

import copy
import math
from contextlib import nullcontext

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.models import SSRTClassifier
from mmgh.models.layers.perturbed_input import perturbed_input
from mmgh.optim import GHOptimWrapper
from mmgh.task_losses import get_task_losses, take_apart

ARCH = dict(
    embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=32)
VIT = dict(type='VisionTransformer', arch=ARCH, img_size=16, patch_size=8)
SIZE = 6


def model_config(**kwargs) -> dict:
    config = dict(
        type='mmgh.SSRTClassifier',
        backbone=VIT,
        head=dict(type='LinearClsHead', in_channels=16, num_classes=3),
        uda_head=dict(
            type='mmgh.DANNHead',
            loss_weight=2,
            discriminator=dict(hidden_channels=8)),
        perturbed_layers=(0, 2),
        confidence=0.,
        data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3))
    config.update(kwargs)
    return copy.deepcopy(config)


def build(**kwargs) -> SSRTClassifier:
    """A model whose predictions are not all alike."""
    torch.manual_seed(0)
    model = MODELS.build(model_config(**kwargs))
    nn.init.normal_(model.head.fc.weight)
    return model


def plain_twin(model: SSRTClassifier):
    config = dict(model_config(), type='ImageClassifier')
    for name in ('uda_head', 'perturbed_layers', 'confidence'):
        del config[name]
    plain = MODELS.build(config)
    keys = plain.load_state_dict(model.state_dict(), strict=False)
    assert not keys.missing_keys
    assert all(key.startswith('uda_head.') for key in keys.unexpected_keys)
    return plain


def make_batch(source: int = SIZE, target: int = SIZE) -> DomainPair:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(
        0,
        256, (source + target, 3, 16, 16),
        generator=generator,
        dtype=torch.uint8)
    labels = [DataSample().set_gt_label(i % 3) for i in range(source)]
    return DomainPair(
        source=dict(inputs=images[:source], data_samples=labels),
        target=dict(inputs=images[source:]))


def losses_of(model: SSRTClassifier, batch=None, seed: int = 3) -> dict:
    torch.manual_seed(seed)
    batch = model.data_preprocessor(batch or make_batch(), True)
    return model(**batch, mode='loss')


def toss(monkeypatch, is_clean_teacher: bool) -> None:
    value = torch.tensor(0.49 if is_clean_teacher else 0.5)
    monkeypatch.setattr(torch, 'rand', lambda *size: value)


def hooks_of(model: SSRTClassifier) -> int:
    return sum(len(m._forward_pre_hooks) for m in model.modules())


def test_without_perturbation_nothing_is_refined_nor_changed():
    model = build(perturbation=0)
    plain = plain_twin(model)
    losses = losses_of(model)
    source = plain.data_preprocessor(make_batch()['source'], True)
    assert losses['loss_refinement'] == 0
    expected = plain(**source, mode='loss')['loss']
    assert torch.equal(losses['loss_cls'], expected)


@pytest.mark.parametrize('domain_forward', ['joint', 'separate'])
@pytest.mark.parametrize('norm_act', [True, False])
@pytest.mark.parametrize('dropout', [0.5, 0.])
def test_without_perturbation_the_neck_alone_is_left(domain_forward, norm_act,
                                                     dropout):
    """Its dropout, and batch norm that sees the source on one pass only."""
    model = build(
        perturbation=0,
        domain_forward=domain_forward,
        neck=dict(
            type='mmgh.Bottleneck',
            in_channels=16,
            out_channels=16,
            norm_act=norm_act,
            dropout=dropout))
    if dropout or (norm_act and domain_forward == 'joint'):
        assert losses_of(model)['loss_refinement'] > 1e-4
        model.neck.eval()
    refinement = losses_of(model)['loss_refinement'].item()
    assert refinement == pytest.approx(0, abs=1e-7)


def test_predicts_like_the_plain_classifier_after_a_loss():
    model = build().eval()
    plain = plain_twin(model).eval()
    losses_of(model)
    images = make_batch()['target']['inputs'] / 255
    assert torch.equal(
        model(images, mode='tensor'), plain(images, mode='tensor'))


def test_perturbed_tokens_are_mixed_with_those_of_another_sample():
    layer = nn.Identity()
    tokens = torch.randn(7, 4, 5, requires_grad=True)
    with perturbed_input(layer, torch.tensor(0.3)):
        mixed = layer(tokens)
    for i in range(7):
        mixtures = [0.7 * tokens[i] + 0.3 * tokens[j] for j in range(7)]
        found = [torch.allclose(mixed[i], m, atol=1e-6) for m in mixtures]
        assert sum(found) == 1 and not found[i]
    # Only a sample's own tokens get a gradient, all of it.
    grad = torch.randn_like(mixed)
    mixed.backward(grad)
    assert torch.equal(tokens.grad, grad)
    assert torch.equal(layer(tokens), tokens)


def test_other_inputs_of_a_layer_are_left_alone():

    class Add(nn.Module):

        def forward(self, x, y):
            return x + y

    layer, shift = Add(), torch.ones(2, 1)
    with perturbed_input(layer, torch.tensor(1.)):
        result = layer(torch.tensor([[1.], [3.]]), shift)
    assert result.tolist() == [[4.], [2.]]  # they changed places


@pytest.mark.parametrize('perturbed', [0, 1, 2])
def test_the_network_is_perturbed_from_the_layer_on(perturbed):
    model = build(perturbed_layers=[perturbed]).eval()
    outputs = [[] for _ in range(3)]
    for layer, seen in zip(model.backbone.layers, outputs):
        layer.register_forward_hook(
            lambda _, __, output, seen=seen: seen.append(output))
    losses_of(model)
    for i, (_, clean, noisy) in enumerate(outputs):
        assert torch.equal(clean, noisy) == (i < perturbed)


def test_every_listed_layer_is_chosen(monkeypatch):
    model = build()
    chosen = set()
    monkeypatch.setattr('mmgh.models.ssrt_classifier.perturbed_input',
                        lambda layer, _: nullcontext(chosen.add(layer)))
    for seed in range(20):
        losses_of(model, seed=seed)
    assert chosen == {model.backbone.layers[0], model.backbone.layers[2]}


def test_hook_is_gone_after_the_pass_and_after_an_error(monkeypatch):
    model = build()
    before = hooks_of(model)
    losses_of(model)
    assert hooks_of(model) == before
    calls = []

    def fail(tokens):
        calls.append(tokens)
        if len(calls) == 3:  # source, target, perturbed target
            raise RuntimeError('out of memory')
        return tokens

    monkeypatch.setattr(model.backbone.layers[-1], 'forward', fail)
    with pytest.raises(RuntimeError, match='out of memory'):
        losses_of(model)
    assert hooks_of(model) == before


def plain_refinement(teacher, student, confidence: float) -> float:
    divergences = []
    for rows in zip(teacher.tolist(), student.tolist()):
        p, q = ([math.exp(v) / sum(map(math.exp, row)) for v in row]
                for row in rows)
        if max(p) > confidence:
            divergences.append(
                sum(a * math.log(a / b) for a, b in zip(p, q)))
    return sum(divergences) / max(len(divergences), 1)


@pytest.mark.parametrize('is_clean_teacher', [True, False])
@pytest.mark.parametrize('confidence', [0., 0.6, 0.99])
def test_refinement_equals_a_plain_loop(monkeypatch, is_clean_teacher,
                                        confidence):
    model = build(confidence=confidence)
    clean, perturbed = torch.randn(9, 3), torch.randn(9, 3)
    toss(monkeypatch, is_clean_teacher)
    loss = model._refinement(clean, perturbed).item()
    pair = (clean, perturbed) if is_clean_teacher else (perturbed, clean)
    assert loss == pytest.approx(
        plain_refinement(*pair, confidence), rel=1e-5)
    if confidence == 0.99:
        assert loss == 0


@pytest.mark.parametrize('is_clean_teacher', [True, False])
@pytest.mark.parametrize('teacher_gradient', [True, False])
def test_only_the_student_learns_unless_asked(monkeypatch, is_clean_teacher,
                                              teacher_gradient):
    model = build(teacher_gradient=teacher_gradient)
    clean, perturbed = (
        torch.randn(9, 3, requires_grad=True) for _ in range(2))
    toss(monkeypatch, is_clean_teacher)
    loss = model._refinement(clean, perturbed)
    loss.backward()
    teacher, student = (
        (clean, perturbed) if is_clean_teacher else (perturbed, clean))
    assert (teacher.grad is not None) == teacher_gradient
    with torch.no_grad():
        student -= 0.1 * student.grad
    assert model._refinement(clean, perturbed) < loss


def test_coin_is_fair():
    model = build()
    clean, perturbed = torch.randn(2, 4, 3)
    values = [model._refinement(clean, perturbed) for _ in range(400)]
    heads = sum(value == values[0] for value in values)
    assert len(set(map(float, values))) == 2
    assert 150 < heads < 250


@pytest.mark.parametrize('scale', [0., 1e4])
@pytest.mark.parametrize('size', [1, 2])
def test_degenerate_predictions_are_finite(size, scale):
    model = build(confidence=0.4)
    clean, perturbed = (
        (scale * torch.randn(size, 3)).requires_grad_() for _ in range(2))
    loss = model._refinement(clean, perturbed)
    loss.backward()
    grads = [x.grad for x in (clean, perturbed) if x.grad is not None]
    assert loss.isfinite() and loss >= 0
    assert len(grads) == 1 and grads[0].isfinite().all()
    if scale == 0:  # nobody is confident
        assert loss == 0 and not grads[0].any()


def test_one_target_image_has_no_other():
    losses = losses_of(build(), make_batch(4, 1))
    assert losses['loss_refinement'] == 0


def test_strength_scales_perturbation_and_weight():
    half = build(perturbation=0.6, refinement_weight=0.8)
    half.adaptation_strength.fill_(0.5)
    whole = build(perturbation=0.3, refinement_weight=0.4)
    results = [losses_of(model) for model in (half, whole)]
    assert results[0]['loss_refinement'] > 0
    torch.testing.assert_close(results[0]['loss_refinement'],
                               results[1]['loss_refinement'])
    assert [r['adaptation_strength'] for r in results] == [0.5, 1]


def test_random_choices_follow_the_seed():
    model = build().eval()
    first, again, other = (losses_of(model, seed=s) for s in (1, 1, 2))
    assert first['loss_refinement'] == again['loss_refinement']
    assert first['loss_refinement'] != other['loss_refinement']


def test_tasks_are_classification_and_all_that_adapts():
    model = build()
    losses = losses_of(model)
    total, log_vars = model.parse_losses(losses)
    tasks = get_task_losses(total)
    assert set(tasks) == {'cls', 'alignment'}
    assert take_apart(total).pairs == (('cls', 'alignment'), )
    assert tasks['cls'] == losses['loss_cls']
    assert tasks['alignment'] == (
        losses['loss_domain'] + losses['loss_refinement'])
    torch.testing.assert_close(total, sum(tasks.values()))
    assert {'diversity', 'adaptation_strength'} <= set(log_vars)


def test_diversity_is_the_number_of_predicted_classes():
    model = build().eval()
    images = model.data_preprocessor(make_batch(), True)['inputs']['target']
    scores = model(images, mode='tensor').detach()
    model.head.fc.bias.data -= scores.mean(dim=0)
    predicted = set((scores - scores.mean(dim=0)).argmax(dim=1).tolist())
    assert len(predicted) > 1
    assert losses_of(model)['diversity'] == len(predicted)


def test_diversity_is_that_of_all_ranks(monkeypatch):
    """Two ranks that predict one class each have seen two."""

    def add_other_rank(is_predicted, op):
        assert op == 'max'
        is_predicted[2] = 1

    model = build()
    with torch.no_grad():
        model.head.fc.bias.copy_(torch.tensor([100., 0, 0]))
    assert losses_of(model)['diversity'] == 1
    monkeypatch.setattr('mmgh.models.ssrt_classifier.all_reduce',
                        add_other_rank)
    assert losses_of(model)['diversity'] == 2


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_harmonized_step(probe, message_hub):
    model = build()
    model.uda_head.reversal.iteration.fill_(1000)
    before = copy.deepcopy(model.state_dict())
    wrapper = GHOptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        probe=probe)
    log_vars = model.train_step(make_batch(), wrapper)
    assert log_vars['loss_refinement'] > 0
    for name in ('weight_cls', 'weight_alignment', 'angle'):
        assert message_hub.get_scalar(f'train/{name}').data[0].shape == (1, )
    for name, parameter in model.named_parameters():
        assert parameter.isfinite().all()
        assert not torch.equal(parameter, before[name]), name


@pytest.mark.parametrize('backbone', [
    dict(type='BEiTViT', arch=ARCH, img_size=16, patch_size=8),
    dict(type='ViTEVA02', arch=ARCH, img_size=16, patch_size=8,
         out_type='cls_token'),
    dict(type='DeiT3', arch=ARCH, img_size=16, patch_size=8),
], ids=lambda config: config['type'])
def test_other_transformers(backbone):
    model = build(backbone=backbone)
    for _ in range(2):
        total, _ = model.parse_losses(losses_of(model))
        total.backward()
        assert total.isfinite()


@pytest.mark.parametrize('backbone', [
    dict(type='ResNet_CIFAR', depth=18, base_channels=8, stem_channels=8),
    dict(type='ShuffleNetV1'),
    dict(type='RevVisionTransformer', arch=ARCH, img_size=16, patch_size=8),
], ids=lambda config: config['type'])
def test_backbone_without_token_blocks_is_refused(backbone):
    with pytest.raises(
            TypeError, match=f'VisionTransformer.*{backbone["type"]}'):
        MODELS.build(model_config(backbone=backbone))


@pytest.mark.parametrize('options, message', [
    (dict(perturbed_layers=(0, 3)), r'`perturbed_layers`.*\[0, 3\).*\(0, 3\)'),
    (dict(perturbed_layers=(-1, )), '`perturbed_layers`'),
    (dict(perturbed_layers=()), '`perturbed_layers`'),
    (dict(perturbation=1.5), r'`perturbation`.*\[0, 1\].*1.5'),
    (dict(refinement_weight=-1), '`refinement_weight`.*at least 0.*-1'),
    (dict(confidence=1), r'`confidence`.*\[0, 1\).*got 1'),
])
def test_bad_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(model_config(**options))
