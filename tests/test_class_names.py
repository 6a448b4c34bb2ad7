"""Folders that labels come from, and names that are given to them."""
from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmpretrain.datasets import CustomDataset

from mmgh.class_names import describe_classes
from mmgh.datasets import DomainConcatDataset, DomainPairDataset
from mmgh.hooks import ClassCheckHook
from .test_datasets.layouts import write_folders, write_image

NAMES = ('bee', 'cat', 'dog')
LOADERS = dict(
    plain=lambda dataset: dataset,
    repeated=lambda dataset: RepeatDataset(dataset, 2),
    joined=lambda dataset: ConcatDataset([dataset, dataset]))


@pytest.fixture
def folders(tmp_path):
    """``folders(*names)`` is a data set of folders with these names."""

    def write(*names: str, classes=None) -> CustomDataset:
        root = tmp_path / '_'.join(names).replace(' ', '')
        write_folders(root, 1, names)
        metainfo = classes and dict(classes=classes)
        return CustomDataset(data_root=str(root), metainfo=metainfo)

    return write


@pytest.fixture(params=[DomainPairDataset, DomainConcatDataset])
def pair(request):
    return request.param


@pytest.mark.parametrize('wrap', LOADERS.values(), ids=LOADERS)
def test_names_do_not_hide_that_folders_are_others(folders, pair, wrap):
    source = folders('bee', 'cat', 'dog', classes=NAMES)
    for others in (('ape', 'bee', 'cat'), ('x', 'y', 'z')):
        with pytest.raises(ValueError, match='folders of|`metainfo.classes`'):
            pair(wrap(source), wrap(folders(*others, classes=NAMES)))


@pytest.mark.parametrize('side', ['source', 'target'])
@pytest.mark.parametrize('wrap', LOADERS.values(), ids=LOADERS)
def test_folders_that_are_named_as_another_are_refused(folders, pair, wrap,
                                                       side):
    swapped = ('cat', 'bee', 'dog')
    domains = dict.fromkeys(('source', 'target'),
                            folders('bee', 'cat', 'dog', classes=swapped))
    with pytest.raises(ValueError, match='`metainfo.classes` of the source '
                       "should .*class 0 is 'cat'"):
        pair(**{name: wrap(domain) for name, domain in domains.items()})


def test_folders_may_have_names_that_are_given_by_hand(folders, pair):
    given = [folders('01', '02', '03', classes=NAMES) for _ in range(2)]
    assert pair(*given).metainfo['classes'] == NAMES


@pytest.mark.parametrize('domain', ['source', 'target'])
def test_hidden_folders_are_no_classes(folders, pair, domain):
    good, stray = folders(*NAMES), folders('.ipynb_checkpoints', *NAMES)
    domains = dict(source=good, target=good, **{})
    domains[domain] = stray
    with pytest.raises(ValueError, match=f"of the {domain} should be a class,"
                       r" but \['.ipynb_checkpoints'\] .* hidden"):
        pair(**domains)
    with pytest.raises(ValueError, match='hidden'):
        pair(stray, stray)


def test_empty_folders_are_classes_and_told_where_the_number_differs(
        folders, tmp_path):
    dataset = folders(*NAMES)
    (tmp_path / 'bee_cat_dog/__MACOSX').mkdir()
    dataset = CustomDataset(data_root=str(tmp_path / 'bee_cat_dog'))
    assert describe_classes(DomainPairDataset(dataset, dataset)) == (
        "'__MACOSX', 'bee', 'cat', 'dog', of which '__MACOSX' have no image")
    runner = SimpleNamespace(
        model=SimpleNamespace(head=SimpleNamespace(num_classes=3)),
        train_dataloader=SimpleNamespace(
            dataset=DomainPairDataset(dataset, dataset)))
    with pytest.raises(ValueError, match="should be 4.*'__MACOSX' have no im"):
        ClassCheckHook().before_train(runner)


def test_validation_data_of_other_folders_are_refused(folders):
    trained = folders(*NAMES, classes=NAMES)
    runner = SimpleNamespace(
        model=SimpleNamespace(),
        train_dataloader=SimpleNamespace(
            dataset=DomainPairDataset(trained, trained)),
        val_loop=object(),
        val_dataloader=SimpleNamespace(
            dataset=folders('x', 'y', 'z', classes=NAMES)))
    with pytest.raises(ValueError, match='The folders of the training data'):
        ClassCheckHook().before_train(runner)


@pytest.mark.parametrize('given', ['mmgh.Digits', None, 3, ['a']])
@pytest.mark.parametrize('domain', ['source', 'target'])
def test_what_is_no_data_set_is_refused(folders, pair, domain, given):
    domains = dict.fromkeys(('source', 'target'), folders(*NAMES))
    with pytest.raises(TypeError, match=f'`{domain}` should be a data set, '
                       f'or a config.*got '):
        pair(**{**domains, domain: given})


def test_one_image_is_enough(tmp_path):
    write_image(tmp_path / 'a/b/c.jpg', 0)
    dataset = CustomDataset(data_root=str(tmp_path))
    assert describe_classes(dataset) == "'a'"
