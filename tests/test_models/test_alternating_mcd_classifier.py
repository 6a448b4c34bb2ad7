"""AlternatingMCDClassifier: three steps, in one process and in two."""
from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch.optim import SGD

from mmgh.datasets.domain_pair_dataset import DomainPair
from mmgh.models import OwnStepDistributedDataParallel
from mmgh.optim import GHOptimWrapper
from ..processes import on_two_ranks
from .published_weights import harmonized_weights

AT_B = dict(harmonized_step='B')
BOTH = dict(generator_tasks=('cls', 'alignment'))
SGD_CONFIG = dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.01)
GENERATOR = ('backbone', 'neck')


def make_model(**kwargs):
    torch.manual_seed(0)
    head = dict(type='mmgh.MCDHead', loss_weight=5.)
    head.update(kwargs.pop('uda_head', {}))
    model = MODELS.build({
        'type':
        'mmgh.AlternatingMCDClassifier',
        'backbone':
        dict(type='mmgh.DigitsLeNet', channels=(4, 4), dropout=0.),
        'head':
        dict(type='LinearClsHead', in_channels=64, num_classes=3),
        'uda_head':
        head,
        'data_preprocessor':
        dict(mean=[127.] * 3, std=[127.] * 3),
        **kwargs
    })
    for classifier in (model.head.fc, model.uda_head.classifier):
        torch.nn.init.normal_(classifier.weight, std=0.3)
    return model


def make_wrapper(model, generator=None, **beside):
    return build_optim_wrapper(
        model,
        dict(
            constructor='mmgh.MCDOptimWrapperConstructor',
            generator={
                'optimizer': SGD_CONFIG,
                **(generator or {})
            },
            classifier=dict(optimizer=SGD_CONFIG),
            **beside))


def harmonized(probe: str, **kwargs) -> dict:
    return dict(
        type='mmgh.GHOptimWrapper',
        harmonizer=dict(type='mmgh.GHPlusPlus'),
        probe=probe,
        **kwargs)


def as_published(form: str) -> dict:
    """What harmonizes, beside the optimizers."""
    harmonizer = dict(
        GH=dict(type='mmgh.GH'),
        GHPlusPlus=dict(type='mmgh.GHPlusPlus', form='published'))[form]
    return dict(
        type='mmgh.GHOptimWrapper',
        harmonizer=harmonizer,
        max_weight=float('inf'))


def make_batch(size: int = 8, seed: int = 0, part=slice(None)) -> DomainPair:
    """Or a part of it; the classes differ in brightness."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(
        0, 50, (2 * size, 3, 28, 28), generator=generator, dtype=torch.uint8)
    labels = torch.arange(size) % 3
    images[:size] += (60 * labels[:, None, None, None]).to(torch.uint8)
    return DomainPair(
        source=dict(
            inputs=images[:size][part],
            data_samples=[DataSample().set_gt_label(i)
                          for i in labels[part]]),
        target=dict(inputs=images[size:][part]))


def is_generator(name: str) -> bool:
    return name.startswith(GENERATOR)


def reference_iteration(model,
                        data,
                        optimizer_g,
                        optimizer_f,
                        form=None) -> list:
    """As the paper says it, with both tasks in step C if wanted, or with
    step B harmonized as in the published code of GH; returns its weights."""
    dtype = model.head.fc.weight.dtype
    source, target = ((data[domain]['inputs'].to(dtype) - 127) / 127
                      for domain in ('source', 'target'))
    labels = torch.cat([s.gt_label for s in data['source']['data_samples']])
    first, second = model.head.fc, model.uda_head.classifier

    def classification():
        z, = model.backbone(source)
        loss = sum(F.cross_entropy(f(z), labels) for f in (first, second))
        z, = model.backbone(target)
        for f in (first, second):
            frequencies = f(z).softmax(1).mean(0)
            loss -= model.uda_head.balance_weight * (
                frequencies + 1e-6).log().mean()
        return loss

    def discrepancy():
        z, = model.backbone(target)
        return 5. * F.l1_loss(first(z).softmax(1), second(z).softmax(1))

    def step(loss, *optimizers):
        model.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()

    step(classification(), optimizer_g, optimizer_f)
    tasks = classification(), -discrepancy()
    weights = (1., 1.) if form is None else harmonized_weights(
        form, *tasks, list(model.backbone.parameters()))
    step(weights[0] * tasks[0] + weights[1] * tasks[1], optimizer_f)
    for _ in range(model.generator_steps):
        loss = discrepancy()
        if 'cls' in model.generator_tasks:
            loss = loss + classification()
        step(loss, optimizer_g)
    return weights


def optimizers_of(model) -> list[SGD]:
    """Of features and classifiers, without a wrapper."""
    options = {k: v for k, v in SGD_CONFIG.items() if k != 'type'}
    return [
        SGD([p for n, p in model.named_parameters() if is_generator(n) == g],
            **options) for g in (True, False)
    ]


@pytest.mark.parametrize('options', [
    {}, AT_B, BOTH, dict(BOTH, domain_forward='joint'),
    dict(generator_steps=1),
    dict(uda_head=dict(balance_weight=0.5)),
    dict(BOTH, uda_head=dict(balance_weight=0.5))
])
def test_iterations_equal_those_of_the_paper(options):
    model = make_model(**options)
    twin = copy.deepcopy(model)
    wrapper = make_wrapper(model)
    optimizers = optimizers_of(twin)
    for seed in range(3):
        model.train_step(make_batch(seed=seed), wrapper)
        reference_iteration(twin, make_batch(seed=seed), *optimizers)
    torch.testing.assert_close(model.state_dict(), twin.state_dict())


@pytest.mark.parametrize('form', ['GH', 'GHPlusPlus'])
@pytest.mark.parametrize('options', [{}, dict(domain_forward='joint')])
def test_step_b_equals_that_of_the_published_code(form, options, message_hub):
    """In float64: compared on G, stepped by F, and G is left alone."""
    model = make_model(**AT_B, **options, uda_head=dict(balance_weight=0.01))
    model.double()
    twin = copy.deepcopy(model)
    wrapper = make_wrapper(model, **as_published(form))
    wrapper.initialize_count_status(model, 0, 5)
    optimizers = optimizers_of(twin)
    weights = []
    for seed in range(5):
        model.train_step(make_batch(seed=seed), wrapper)
        expected = reference_iteration(twin, make_batch(seed=seed),
                                       *optimizers, form)
        found = [
            message_hub.get_scalar(f'train/weight_{task}').current()
            for task in ('cls', 'alignment')
        ]
        assert found == pytest.approx(expected, rel=1e-6)
        weights.append(expected)
    torch.testing.assert_close(
        model.state_dict(), twin.state_dict(), rtol=1e-10, atol=1e-12)
    assert max(max(pair) for pair in weights) > 1.1  # there was a conflict


def record_updates(wrapper, model, monkeypatch) -> dict:
    """What each wrapper's updates have changed."""
    changed = dict(generator=[], classifier=[])

    def record(name, update, *args):
        before = copy.deepcopy(dict(model.named_parameters()))
        update(*args)
        changed[name].append({
            key
            for key, value in model.named_parameters()
            if not torch.equal(value, before[key])
        })

    for name, part in wrapper.items():
        update = part.update_params
        monkeypatch.setattr(
            part, 'update_params',
            lambda *args, n=name, u=update: record(n, u, *args))
    return changed


def assert_each_step_moves_its_own_part(model, wrapper, monkeypatch) -> None:
    wrapper.initialize_count_status(model, 0, 2)
    changed = record_updates(wrapper, model, monkeypatch)
    for seed in range(2):
        model.train_step(make_batch(seed=seed), wrapper)
    names = {name for name, _ in model.named_parameters()}
    generator = {name for name in names if is_generator(name)}
    assert changed['generator'] == [generator] * 8
    assert changed['classifier'] == [names - generator] * 2


@pytest.mark.parametrize('generator', [
    None,
    harmonized('parameters'),
    harmonized('features'),
    harmonized('modules', shared=['backbone'])
])
def test_each_step_moves_its_own_part(generator, monkeypatch):
    """Although there is momentum and weight decay."""
    model = make_model(**BOTH)
    wrapper = make_wrapper(model, generator)
    assert_each_step_moves_its_own_part(model, wrapper, monkeypatch)
    for parameter in model.parameters():
        assert parameter.requires_grad and parameter.grad is None


def test_harmonized_step_b_moves_the_classifiers_alone(monkeypatch):
    model = make_model(**AT_B)
    wrapper = make_wrapper(model, **as_published('GH'))
    assert_each_step_moves_its_own_part(model, wrapper, monkeypatch)
    counts = {name: part.inner_count for name, part in wrapper.items()}
    assert counts == dict(generator=10, classifier=2)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_generator_lessens_what_the_classifiers_enlarge(monkeypatch):
    """Both learn the source meanwhile."""
    model = make_model(uda_head=dict(loss_weight=1.))
    wrapper = make_wrapper(model)
    values = []
    original = model._discrepancy
    monkeypatch.setattr(
        model, '_discrepancy',
        lambda feats: values.append(original(feats)) or values[-1])
    losses = [
        model.train_step(make_batch(), wrapper)['loss'].item()
        for _ in range(20)
    ]
    before_b, first_c, *_, last_c = torch.stack(values).view(-1, 5).mean(0)
    assert first_c > before_b and last_c < first_c
    assert losses[-1] < losses[0]


@pytest.mark.parametrize('probe', ['parameters', 'features'])
def test_harmonization_reaches_the_features(probe):
    """The step of G is that of the weighted gradients of its two tasks."""
    model = make_model(**BOTH, generator_steps=1)
    wrapper = make_wrapper(model, harmonized(probe))
    seen = []
    wrapper['generator']._weighting.weights = lambda harmonizer, gramian: (
        seen.append(gramian) or gramian.new_tensor([2., 3.]))
    model.train_step(make_batch(), wrapper)

    twin = make_model(**BOTH, generator_steps=1)
    twin_wrapper = make_wrapper(twin)
    add_up = twin.parse_losses

    def weighted(losses):
        if set(losses) == {'loss_cls', 'loss_cls2', 'loss_discrepancy'} and (
                losses['loss_discrepancy'] > 0):
            losses = {
                k: v * (3 if k == 'loss_discrepancy' else 2)
                for k, v in losses.items()
            }
        return add_up(losses)

    twin.parse_losses = weighted
    twin.train_step(make_batch(), twin_wrapper)
    torch.testing.assert_close(model.state_dict(), twin.state_dict())
    assert len(seen) == 1 and seen[0].shape == (2, 2)


def test_order_of_the_tasks_is_kept():
    batch = make_batch()
    for tasks in (('cls', 'alignment'), ('alignment', 'cls')):
        model = make_model(generator_tasks=tasks)
        data = model.data_preprocessor(batch, True)
        losses = model(**data, mode='loss_of_generator')
        assert list(model._sum_by_task(losses)) == list(tasks)
        assert losses['loss_discrepancy'] > 0


@pytest.mark.parametrize('options, runs', [
    ({}, [('source', 1), ('target', 5)]),
    (BOTH, [('source', 6), ('target', 5)]),
    (dict(BOTH, uda_head=dict(balance_weight=0.01)), [('source', 6),
                                                      ('target', 6)]),
])
def test_domains_that_a_step_does_not_need_are_left_out(
        options, runs, monkeypatch):
    model = make_model(**options)
    seen = []
    original = model.backbone.forward
    monkeypatch.setattr(
        model.backbone, 'forward',
        lambda x: seen.append(float(x.mean())) or original(x))
    batch = make_batch()
    model.train_step(batch, make_wrapper(model))
    for domain, count in runs:
        mean = ((batch[domain]['inputs'].float() - 127) / 127).mean().item()
        # Step B runs both.
        count += domain == 'source' and options == {}
        assert sum(abs(v - mean) < 1e-5 for v in seen) == count


def test_hidden_layers_belong_to_the_classifiers():
    stacked = dict(
        type='StackedLinearClsHead',
        num_classes=3,
        in_channels=64,
        mid_channels=[8])
    model = MODELS.build(
        dict(
            type='mmgh.AlternatingMCDClassifier',
            backbone=dict(
                type='mmgh.DigitsLeNet', channels=(4, 4), dropout=0.),
            head=stacked,
            uda_head=dict(type='mmgh.MCDHead', classifier=stacked),
            data_preprocessor=dict(mean=[127.] * 3, std=[127.] * 3)))
    before = copy.deepcopy(dict(model.named_parameters()))
    model.train_step(make_batch(), make_wrapper(model))
    for name, parameter in model.named_parameters():
        assert not torch.equal(parameter, before[name]), name


def test_predicts_by_the_classification_head():
    model = make_model().eval()
    batch = dict(inputs=make_batch()['target']['inputs'])
    images = (batch['inputs'].float() - 127) / 127
    expected = model.head.fc(model.backbone(images)[0]).softmax(dim=1)
    scores = [s.pred_score for s in model.test_step(batch)]
    torch.testing.assert_close(torch.stack(scores), expected)


@pytest.mark.parametrize('kwargs, error, message', [
    (dict(generator_steps=0), ValueError, '`generator_steps`.*got 0'),
    (dict(generator_tasks=()), ValueError, '`generator_tasks`.*alignment'),
    (dict(generator_tasks=('cls', )), ValueError, "got \\('cls',\\)"),
    (dict(generator_tasks=['cls', 'all']), ValueError, "'cls'.* got .*'all'"),
    (dict(harmonized_step='A'), ValueError, "`harmonized_step`.*'A'"),
    (dict(generator_tasks=5), TypeError, "`generator_tasks`.*list.*got 5"),
    (dict(uda_head=dict(type='mmgh.DANNHead', loss_weight=1.)), TypeError,
     "`uda_head`.*'mmgh.MCDHead'.*DANNHead"),
])
def test_bad_options_are_refused(kwargs, error, message):
    with pytest.raises(error, match=message):
        make_model(**kwargs)


def test_one_optim_wrapper_is_refused():
    model = make_model()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1))
    with pytest.raises(TypeError, match='MCDOptimWrapperConstructor'):
        model.train_step(make_batch(), wrapper)


def test_harmonizing_one_task_is_refused():
    model = make_model(generator_tasks=('alignment', ))
    with pytest.raises(ValueError, match=r"also have 'cls'.*alignment"):
        model.train_step(
            make_batch(), make_wrapper(model, harmonized('parameters')))


@pytest.mark.parametrize('step, built_for', [('B', 'C'), ('C', 'B')])
def test_harmonizing_at_another_step_is_refused(step, built_for):
    model = make_model(harmonized_step=step)
    wrapper = make_wrapper(
        make_model(harmonized_step=built_for), **as_published('GH'))
    with pytest.raises(ValueError, match=f"`harmonized_step`.* got '{step}'"):
        model.train_step(make_batch(), wrapper)


def test_a_wrapper_that_harmonizes_gets_both_tasks():
    """Unless the user says so, too: bit for bit as if they did."""
    states = []
    for options in ({}, BOTH):
        model = make_model(**options)
        model.train_step(
            make_batch(), make_wrapper(model, harmonized('parameters')))
        assert model.pairs == (('cls', 'alignment'), )
        states.append(model.state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])


SCENARIOS = {
    'plain': (BOTH, None),
    'published': ({}, None),
    'step_b': (AT_B, as_published('GH')),
    'parameters': (BOTH, harmonized('parameters')),
    'parameters_interval': (BOTH, harmonized('parameters', interval=3)),
    'features': (BOTH, harmonized('features')),
    'modules': (BOTH, harmonized('modules', shared=['backbone'])),
}


def train(name: str, rank: int, world_size: int) -> dict:
    """Parameters, and angles, after three iterations on a rank's share."""
    options, generator = SCENARIOS[name]
    model = run = make_model(**options)
    if world_size > 1:
        run = OwnStepDistributedDataParallel(model, broadcast_buffers=False)
    beside = generator or {} if options is AT_B else {}
    wrapper = make_wrapper(run, None if beside else generator, **beside)
    wrapper.initialize_count_status(run, 0, 3)
    hub = wrapper['generator'].message_hub
    hub.log_scalars.clear()
    for seed in range(3):
        part = slice(rank, None, world_size)
        run.train_step(make_batch(12, seed, part), wrapper)
    angles = hub.log_scalars.get('train/angle')
    return dict(
        state=model.state_dict(),
        angles=[] if angles is None else angles.data[0].tolist())


def train_all(rank: int) -> dict:
    return {name: train(name, rank, 2) for name in SCENARIOS}


@pytest.fixture(scope='module')
def ranks() -> list[dict]:
    return on_two_ranks(train_all)


@pytest.mark.parametrize('name', SCENARIOS)
def test_two_processes_equal_one_with_the_whole_batch(ranks, name):
    single = train(name, 0, 1)
    assert bool(single['angles']) == (SCENARIOS[name][1] is not None)
    for results in ranks:
        torch.testing.assert_close(
            results[name]['state'], single['state'], rtol=1e-4, atol=1e-6)
        assert results[name]['angles'] == pytest.approx(
            single['angles'], rel=1e-4)


def test_harmonizing_wrapper_is_the_generators():
    wrapper = make_wrapper(make_model(), harmonized('parameters'))
    assert isinstance(wrapper['generator'], GHOptimWrapper)
    assert type(wrapper['classifier']) is OptimWrapper


def test_harmonizing_wrapper_is_the_classifiers_at_step_b():
    wrapper = make_wrapper(make_model(**AT_B), **as_published('GH'))
    assert isinstance(wrapper['classifier'], GHOptimWrapper)
    assert type(wrapper['generator']) is OptimWrapper
    with pytest.raises(ValueError, match="`probe`.*'modules'.*'features'"):
        make_wrapper(
            make_model(**AT_B), **as_published('GH'), probe='features')
    with pytest.raises(ValueError, match='`harmonizer`.*in `classifier`'):
        make_wrapper(make_model(**AT_B), harmonized('parameters'))
