"""GVB: both bridges, their losses, and how they are harmonized."""
from __future__ import annotations

import copy
import math

import pytest
import torch
from mmengine.logging import MessageHub
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.models import BridgeClsHead, DANNHead, DomainOutput, GVBHead
from mmgh.optim import GHOptimWrapper

PAIRS = [('alignment', 'cls'), ('bridge_g', 'bridge_d')]
LOSSES = ['loss_domain', 'loss_bridge_g', 'loss_bridge_d']


def make_heads(iteration: int = 3000, **kwargs):
    classifier = BridgeClsHead(num_classes=3, in_channels=6)
    discriminator = dict(hidden_channels=16, dropout=0.)
    head = GVBHead(6, 3, discriminator, **kwargs)
    head.reversal.iteration.fill_(iteration)
    return classifier, head


def make_features(size: int) -> torch.Tensor:
    return torch.randn(size, 6, requires_grad=True)


def make_output(classifier, features) -> DomainOutput:
    feats = (features, )
    return DomainOutput(features, classifier(feats), classifier, feats)


def losses_at(classifier, head, *features) -> dict[str, torch.Tensor]:
    return head.loss(*(make_output(classifier, f) for f in features))


def affine(weight, bias, vector: list[float]) -> list[float]:
    return [
        sum(w * v for w, v in zip(row, vector)) + b
        for row, b in zip(weight.tolist(), bias.tolist())
    ]


def plain_losses(classifier, head, source, target, sums=None) -> list[float]:
    """The formulas on lists of numbers, sample by sample.

    ``sums`` are the sums of the weights per domain, if they are not to be
    those of these samples.
    """
    first, _, _, second, _, _, last = head.discriminator.layers
    means, bridges_g, bridges_d = [], [], []
    for i, (features, label) in enumerate([(source, 1), (target, 0)]):
        total = weights = 0.
        for f in features.tolist():
            b = affine(classifier.bridge.weight, classifier.bridge.bias, f)
            fc = affine(classifier.fc.weight, classifier.fc.bias, f)
            e = [math.exp(u - v) for u, v in zip(fc, b)]
            p = [v / sum(e) for v in e]
            x = p
            for layer in (first, second):
                x = [max(v, 0.) for v in affine(layer.weight, layer.bias, x)]
            bridge = head.discriminator.bridge
            b_d, = affine(bridge.weight, bridge.bias, x)
            d = 1 / (1 + math.exp(b_d - affine(last.weight, last.bias, x)[0]))
            weight = math.exp(sum(v * math.log(v) for v in p))
            weights += weight
            total -= weight * math.log(d if label else 1 - d)
            bridges_g += [abs(v) for v in b]
            bridges_d.append(abs(b_d))
        means.append(total / (sums[i] if sums else weights))
    return [
        sum(means) / 2,
        sum(bridges_g) / len(bridges_g),
        sum(bridges_d) / len(bridges_d)
    ]


@pytest.mark.parametrize('entropy', ['reversed', 'detached'])
def test_losses_equal_a_plain_loop(entropy):
    classifier, head = make_heads(
        loss_weight=0.7,
        bridge_g_weight=2.,
        bridge_d_weight=3.,
        entropy=entropy)
    source, target = make_features(5), make_features(3)
    # Of both signs, so that it matters where the absolute value is taken.
    with torch.no_grad():
        _, bridge = head.discriminator(
            classifier((torch.cat([source, target]), )).softmax(dim=1))
        head.discriminator.bridge.bias.sub_(bridge.mean())
    losses = losses_at(classifier, head, source, target)
    expected = plain_losses(classifier, head, source, target)
    for name, factor, value in zip(LOSSES, (0.7, 2, 3), expected):
        assert losses[name].item() == pytest.approx(factor * value, rel=1e-5)


def sums_of_weights(classifier, *domains) -> list[float]:
    probabilities = [classifier((f, )).softmax(1) for f in domains]
    return [(p * p.log()).sum(1).exp().sum().item() for p in probabilities]


@pytest.mark.parametrize('index, direction', [(0, 1), (1, -1), (2, 1)])
def test_features_ascend_behind_the_reversal_and_descend_elsewhere(
        index, direction):
    """Checked by a step of the features. The sums of the entropy weights are
    constants to the gradient, so to this check."""
    classifier, head = make_heads()
    features = [make_features(8), make_features(8)]
    losses_at(classifier, head, *features)[LOSSES[index]].backward()
    moved = [f - 0.1 * f.grad for f in features]
    sums = sums_of_weights(classifier, *features)
    before, after = (
        plain_losses(classifier, head, *domains, sums)[index]
        for domains in (features, moved))
    assert (after - before) * direction > 0


@pytest.mark.parametrize('name', LOSSES)
def test_the_discriminator_and_the_bridges_descend(name):
    classifier, head = make_heads()
    features = [make_features(8), make_features(8)]
    before = losses_at(classifier, head, *features)[name]
    before.backward()
    own = classifier.bridge if name == 'loss_bridge_g' else head
    with torch.no_grad():
        for parameter in own.parameters():
            if parameter.grad is not None:
                parameter.sub_(0.001 * parameter.grad)
    assert losses_at(classifier, head, *features)[name] < before


@pytest.mark.parametrize('name, scales', [
    ('loss_domain', True), ('loss_bridge_g', False), ('loss_bridge_d', True)])
def test_reversal_scales_what_passes_the_discriminator(name, scales):
    """That includes the gradient through the entropy weights."""
    grads = []
    for iteration in (100, 3000):
        torch.manual_seed(0)
        classifier, head = make_heads(iteration)
        source, target = make_features(4), make_features(4)
        losses_at(classifier, head, source, target)[name].backward()
        factor = math.tanh(iteration / 2000) if scales else 1
        grads.append(source.grad / factor)
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize('entropy, flows', [('reversed', True),
                                            ('detached', False)])
def test_gradient_through_the_entropy_weights(entropy, flows):
    """With a discriminator that ignores its input, nothing else is left. It
    makes predictions more certain."""
    classifier, head = make_heads(entropy=entropy)
    nn.init.zeros_(head.discriminator.layers[0].weight)
    features = [make_features(4), make_features(4)]
    losses_at(classifier, head, *features)['loss_domain'].backward()
    moved = [f - f.grad for f in features]
    before, after = (
        sums_of_weights(classifier, *domains) for domains in (features, moved))
    for old, new in zip(before, after):
        assert new > old if flows else new == old


@pytest.mark.parametrize('name, reached', [
    ('loss_domain', {'fc', 'bridge', 'discriminator', 'discriminator bridge'}),
    ('loss_bridge_g', {'bridge'}),
    ('loss_bridge_d', {'fc', 'bridge', 'discriminator bridge'})])
def test_which_parameters_a_loss_reaches(name, reached):
    classifier, head = make_heads()
    features = make_features(4)
    losses_at(classifier, head, features, make_features(4))[name].backward()
    layers = {
        'fc': classifier.fc,
        'bridge': classifier.bridge,
        'discriminator': head.discriminator.layers[-1],
        'discriminator bridge': head.discriminator.bridge
    }
    assert reached == {
        name
        for name, layer in layers.items() if layer.weight.grad is not None
    }
    assert features.grad.any()


@pytest.mark.parametrize('label', [1, -1])
def test_perfect_and_perfectly_wrong_discriminators_are_finite(label):
    class Certain(nn.Module):

        def forward(self, x):
            domains = torch.tensor([1.] * 3 + [-1.] * 3)
            return 1e4 * label * domains + 0 * x.sum(1), x.sum(1)

    classifier, head = make_heads()
    head.discriminator = Certain()
    features = [make_features(3), make_features(3)]
    losses = losses_at(classifier, head, *features)
    losses['loss_domain'].backward()
    expected = 0 if label > 0 else 1e4
    assert losses['loss_domain'].item() == pytest.approx(expected)
    assert losses['domain_accuracy'] == (100 if label > 0 else 0)
    assert features[0].grad.isfinite().all()


@pytest.mark.parametrize('name', [
    'loss_weight', 'bridge_g_weight', 'bridge_d_weight'])
def test_bad_weights_are_refused(name):
    with pytest.raises(ValueError, match=f'`{name}`.*at least 0.*-1'):
        GVBHead(6, 3, **{name: -1})


def test_unknown_entropy_is_refused():
    with pytest.raises(ValueError, match="`entropy`.*'detached'.*None"):
        GVBHead(6, 3, entropy=None)


def model_config(**kwargs) -> dict:
    return {
        **dict(
            type='mmgh.UDAClassifier',
            backbone=dict(
                type='mmgh.DigitsLeNet', channels=(2, 4), batch_norm=True),
            head=dict(
                type='mmgh.BridgeClsHead', in_channels=64, num_classes=3),
            uda_head=dict(
                type='mmgh.GVBHead',
                in_channels=64,
                discriminator=dict(hidden_channels=8)),
            data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3)),
        **kwargs
    }


def make_batch(size: int = 6) -> DomainPair:
    images = [
        torch.randint(0, 256, (size, 3, 28, 28), dtype=torch.uint8)
        for _ in range(2)
    ]
    samples = [DataSample().set_gt_label(i % 3) for i in range(size)]
    return DomainPair(
        source=dict(inputs=images[0], data_samples=samples),
        target=dict(inputs=images[1]))


@pytest.fixture(scope='module')
def harmonized_runs() -> dict:
    """What a few steps from the same start log, for each probe."""
    logs = {}
    for probe in ('parameters', 'features'):
        torch.manual_seed(0)
        model = MODELS.build(model_config())
        model.init_weights()
        model.uda_head.reversal.iteration.fill_(5000)
        hub = MessageHub.get_instance(f'gvb_{probe}')
        wrapper = GHOptimWrapper(
            dict(type='mmgh.GHPlusPlus'),
            pairs=PAIRS,
            probe=probe,
            optimizer=torch.optim.SGD(model.parameters(), lr=0.01))
        wrapper.message_hub = hub
        before = copy.deepcopy(model.state_dict())
        with wrapper.optim_context(model):
            for _ in range(8):
                model.train_step(make_batch(), wrapper)
        moved = {
            name for name, value in model.state_dict().items()
            if not torch.equal(value, before[name])
        }
        scalars = {
            name.replace('train/', ''): list(buffer.data[0])
            for name, buffer in hub.log_scalars.items()
        }
        logs[probe] = dict(scalars=scalars, moved=moved)
    return logs


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_both_pairs_are_harmonized(harmonized_runs, probe):
    """The bridges share features, and their gradients do conflict."""
    scalars = harmonized_runs[probe]['scalars']
    for pair in PAIRS:
        names = '_'.join(pair)
        angles = scalars[f'angle_{names}']
        assert len(angles) == 8
        assert all(0 < angle < 180 and angle != 90 for angle in angles)
        for conflict, *weights in zip(
                scalars[f'conflict_{names}'],
                *(scalars[f'weight_{task}_{names}'] for task in pair)):
            assert (weights != [1, 1]) == bool(conflict)
    assert any(scalars['conflict_bridge_g_bridge_d'])


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_harmonized_steps_train_every_part(harmonized_runs, probe):
    moved = harmonized_runs[probe]['moved']
    for name in ('backbone.layers.0.weight', 'head.fc.weight',
                 'head.bridge.weight', 'uda_head.discriminator.bridge.weight',
                 'uda_head.discriminator.layers.0.weight'):
        assert name in moved


def test_tasks_of_a_classifier():
    model = MODELS.build(model_config())
    batch = model.data_preprocessor(make_batch(), True)
    losses = model(**batch, mode='loss')
    tasks = {name: model.task_of(name) for name in losses if 'loss' in name}
    assert tasks == {
        'loss_domain': 'alignment',
        'loss_bridge_g': 'bridge_g',
        'loss_bridge_d': 'bridge_d',
        'loss_cls': 'cls'
    }


def test_head_without_a_bridge_is_refused():
    linear = dict(type='LinearClsHead', in_channels=64, num_classes=3)
    model = MODELS.build(model_config(head=linear))
    batch = model.data_preprocessor(make_batch(), True)
    with pytest.raises(TypeError, match='BridgeClsHead.*got LinearClsHead'):
        model(**batch, mode='loss')


def test_bridge_cls_head_serves_other_uda_heads():
    model = MODELS.build(model_config(uda_head=DANNHead(64, 3)))
    batch = model.data_preprocessor(make_batch(), True)
    assert model(**batch, mode='loss')['loss_domain'].isfinite()
