"""Picture and numbers of tools/analysis/tsne.py."""
from __future__ import annotations

import csv
from collections import Counter
from functools import partial

import pytest

from mmgh.analysis import domain_datasets, load_trained
from .conftest import assert_picture


@pytest.fixture(scope='module')
def tsne(tools):
    """``tsne(*args)`` runs the tool on few images."""
    return partial(tools, 'analysis/tsne', '--max-images', 20,
                   '--perplexity', 5, '--device', 'cpu')


def lines(path) -> list[dict]:
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def test_both_runs_show_the_same_images(tsne, harmonized, source_only,
                                        tmp_path):
    tsne(harmonized, '--before', source_only, '--out', tmp_path / 'a.png')
    assert_picture(tmp_path / 'a.png')
    points = lines(tmp_path / 'a.csv')
    assert Counter((p['run'], p['domain']) for p in points) == {
        (run, domain): 20
        for run in ('source-only', 'dann-ghpp')
        for domain in ('source', 'target')
    }
    before, after = points[:40], points[40:]
    images = [(p['domain'], p['index'], p['class']) for p in before]
    assert images == [(p['domain'], p['index'], p['class']) for p in after]
    assert before[0]['x'] != after[0]['x']
    trained = load_trained(harmonized)
    datasets = domain_datasets(trained.cfg, None)
    classes = trained.classes
    for domain, index, name in images:
        label = datasets[domain].get_data_info(int(index))['gt_label']
        assert classes[label] == name


def test_one_run_alone_and_an_earlier_checkpoint(tsne, harmonized, tmp_path):
    tsne(harmonized, '--out', tmp_path / 'a.png')
    tsne(harmonized, '--before', harmonized / 'iter_3.pth', '--out',
         tmp_path / 'b.png')
    alone, both = lines(tmp_path / 'a.csv'), lines(tmp_path / 'b.csv')
    assert {p['run'] for p in both} == {'dann-ghpp/iter_3', 'dann-ghpp'}
    assert both[40:] == alone


def test_seed_chooses_the_images(tsne, harmonized, tmp_path):
    pictures = []
    for seed in (0, 1):
        tsne(harmonized, '--out', tmp_path / 'a.png', '--seed', seed)
        pictures.append([p['index'] for p in lines(tmp_path / 'a.csv')])
    assert pictures[0] != pictures[1]


def test_target_may_have_no_labels(tsne, without_labels, tmp_path):
    tsne(without_labels, '--out', tmp_path / 'a.png')
    assert_picture(tmp_path / 'a.png')
    classes = Counter(p['class'] == '' for p in lines(tmp_path / 'a.csv'))
    assert classes == {False: 20, True: 12}


def test_perplexity_of_the_number_of_images_is_refused(tsne, harmonized):
    message = '`perplexity` .* 40 images, but got 40'
    with pytest.raises(SystemExit, match=message):
        tsne(harmonized, '--perplexity', 40)


def test_one_domain_is_refused(tsne, source_only):
    with pytest.raises(SystemExit, match='should be a domain pair'):
        tsne(source_only)


def test_diverged_run_is_refused(tsne, diverged):
    with pytest.raises(SystemExit, match='diverged.pth should give finite'):
        tsne(diverged)


def test_run_before_with_other_classes_is_refused(tsne, harmonized, changed):
    def rename(content, cfg):
        content['meta']['dataset_meta']['classes'] = tuple('abcdefghij')

    other = changed(harmonized, 'other', rename)
    with pytest.raises(SystemExit, match='other should have the classes of '
                       'dann-ghpp'):
        tsne(harmonized, '--before', other)


def test_run_before_must_take_the_images(tsne, harmonized, changed):
    def enlarge(content, cfg):
        cfg.test_dataloader.dataset.pipeline.insert(
            0, dict(type='Resize', scale=(40, 40)))

    larger = changed(harmonized, 'larger', enlarge)
    with pytest.raises(SystemExit, match='iter_6.pth should take the images '
                       'of the source, but'):
        tsne(larger, '--before', harmonized)


@pytest.mark.parametrize('tool', ['tsne', 'a_distance', 'per_class'])
def test_data_that_have_moved_are_named(tools, without_labels, tmp_path,
                                        tool):
    (tmp_path / 'target').rename(tmp_path / 'elsewhere')
    with pytest.raises(SystemExit, match='target/.*set '
                       '`test_dataloader.dataset.data_root=...`.*--cfg-opt'):
        tools(f'analysis/{tool}', without_labels)


def test_options_say_where_the_data_are(tsne, without_labels, tmp_path):
    (tmp_path / 'target').rename(tmp_path / 'elsewhere')
    tsne(without_labels, '--out', tmp_path / 'a.png', '--cfg-options',
         f'test_dataloader.dataset.data_root={tmp_path}/elsewhere')
    domains = Counter(p['domain'] for p in lines(tmp_path / 'a.csv'))
    assert domains['target'] == 12


def test_wrong_run_is_refused(tsne, harmonized, wrong_run):
    path, message = wrong_run
    with pytest.raises(SystemExit, match=message):
        tsne(path)
    with pytest.raises(SystemExit, match=message):
        tsne(harmonized, '--before', path)
