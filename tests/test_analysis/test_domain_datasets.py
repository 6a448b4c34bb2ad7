"""Which data of a config are shown as source and as target."""
from __future__ import annotations

import pytest
from mmengine.config import Config

from mmgh.analysis import domain_datasets, has_domain_pair, target_dataset
from mmgh.input_error import InputError
from ..test_datasets.layouts import write_image


def data(name: str, split: str, *pipeline: str) -> dict:
    return dict(type=f'mmgh.{name}', split=split,
                pipeline=[dict(type=step) for step in pipeline])


SOURCE = data('Digits', 'train', 'ColorJitter', 'PackInputs')
TARGET = data('DigitsM', 'train', 'ColorJitter', 'PackInputs')
TEST = data('DigitsM', 'test', 'PackInputs')
PAIR = dict(type='mmgh.DomainPairDataset', source=SOURCE, target=TARGET)
TEST_PAIR = dict(PAIR, source=data('Digits', 'test', 'PackInputs'))


def config(train: dict, test: dict | None) -> Config:
    test_loader = test and dict(dataset=test)
    return Config(dict(train_dataloader=dict(dataset=train),
                       test_dataloader=test_loader))


def test_source_is_seen_through_the_test_pipeline():
    domains = domain_datasets(config(PAIR, TEST), None)
    assert [(type(d).__name__, d.split) for d in domains.values()] == [
        ('Digits', 'train'), ('DigitsM', 'test')]
    for dataset in domains.values():
        assert len(dataset.pipeline.transforms) == 1


def test_test_data_of_both_domains_count():
    domains = domain_datasets(config(PAIR, TEST_PAIR), None)
    assert [d.split for d in domains.values()] == ['test', 'train']


def test_wrapped_source_is_seen_through_the_wrapped_test_pipeline():
    source = dict(type='RepeatDataset', times=2, dataset=SOURCE)
    target = dict(type='ConcatDataset', datasets=[TEST, TARGET])
    source, target = domain_datasets(
        config(dict(PAIR, source=source), target), None).values()
    assert len(source.dataset.pipeline.transforms) == 1
    assert len(source) == 2 * len(source.dataset)
    assert [part.split for part in target.datasets] == ['test', 'train']


FOLDER = dict(type='CustomDataset', data_root='gone',
              pipeline=[dict(type='LoadImageFromFile')])


@pytest.mark.parametrize('train, test, setting', [
    (PAIR, FOLDER, 'test_dataloader.dataset'),
    (dict(PAIR, source=FOLDER), TEST, 'train_dataloader.dataset.source'),
    (PAIR, dict(TEST_PAIR, target=FOLDER), 'test_dataloader.dataset.target'),
    (PAIR, dict(TEST_PAIR, source=FOLDER), 'test_dataloader.dataset.source'),
    (PAIR, dict(type='RepeatDataset', times=2, dataset=FOLDER),
     'test_dataloader.dataset.dataset'),
])
def test_data_that_have_moved_are_named(train, test, setting):
    with pytest.raises(InputError) as error:
        domain_datasets(config(train, test), None)
    message = str(error.value)
    assert "'gone/'" in message and '\n' not in message
    assert f'`{setting}.data_root=...`' in message
    assert error.value.argument == 'cfg_options'


NAMES = ('ant', 'bee', 'cat')


def folder(root, names) -> dict:
    for name in names:
        write_image(root / name / '0.png', 0)
    return dict(FOLDER, data_root=str(root))


@pytest.mark.parametrize('names, message', [
    (('bee', 'cat', 'dog'), r"alone has \['ant'\],.* alone has \['dog'\]"),
    ((*NAMES, 'dog'), r"alone has \['dog'\] \(3 and 4 classes\)"),
    (NAMES[1:], r"alone has \['ant'\].* \(3 and 2 classes\)"),
    (('.hidden', *NAMES), r"\['.hidden'\] .* are hidden"),
])
@pytest.mark.parametrize('side', ['source', 'test'])
def test_folders_of_other_classes_are_refused(tmp_path, names, message, side):
    """Else labels would mean the classes by their place."""
    data = dict(source=folder(tmp_path / 'source', NAMES),
                test=folder(tmp_path / 'test', NAMES))
    cfg = config(dict(PAIR, source=data['source']), data['test'])
    assert set(domain_datasets(cfg, NAMES)) == {'source', 'target'}
    other = folder(tmp_path / 'other', names)['data_root']
    place = (cfg.train_dataloader.dataset.source if side == 'source' else
             cfg.test_dataloader.dataset)
    place.data_root = other
    with pytest.raises(InputError, match=message) as error:
        domain_datasets(cfg, NAMES)
    assert f'the {side} data' in str(error.value)


def test_labels_without_names_pass(tmp_path):
    data = folder(tmp_path, 'xyz')
    assert len(target_dataset(config(PAIR, data), None)) == 3
    unlabelled = dict(data, with_label=False)
    assert len(target_dataset(config(PAIR, unlabelled), NAMES)) == 3


def test_config_stays_as_it_is():
    cfg = config(PAIR, TEST)
    before = cfg.pretty_text
    domain_datasets(cfg, None)
    assert cfg.pretty_text == before


@pytest.mark.parametrize('train, test, expected', [
    (PAIR, TEST, True), (SOURCE, TEST_PAIR, True), (SOURCE, TEST, False),
    (PAIR, None, True), (SOURCE, None, False)])
def test_pair_is_recognised(train, test, expected):
    assert has_domain_pair(config(train, test)) == expected


def test_one_domain_is_refused():
    cfg = config(SOURCE, TEST)
    assert target_dataset(cfg, None).split == 'test'
    with pytest.raises(InputError, match='a domain pair, .* mmgh.Digits'):
        domain_datasets(cfg, None)


def test_missing_test_data_are_refused():
    with pytest.raises(InputError, match='`test_dataloader` should have'):
        domain_datasets(config(PAIR, None), None)
