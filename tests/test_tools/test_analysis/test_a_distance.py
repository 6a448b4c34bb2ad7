"""Table and plot of tools/analysis/a_distance.py."""
from __future__ import annotations

import csv
import shutil
from functools import partial

import pytest

from mmgh.analysis import domain_datasets, load_trained, outputs_of_domains
from mmgh.analysis.a_distance import domain_error
from .conftest import assert_picture


@pytest.fixture(scope='module')
def measure(tools):
    """``measure(*args)`` runs the tool on few images."""
    return partial(tools, 'analysis/a_distance', '--max-images', 40,
                   '--device', 'cpu')


@pytest.fixture
def seeds(harmonized, tmp_path):
    """Two runs of one setting."""
    return [
        shutil.copytree(harmonized, tmp_path / f'seed{seed}' / 'dann-ghpp')
        for seed in (0, 1)
    ]


def test_runs_of_one_name_are_summarised(measure, seeds, source_only, capsys,
                                         tmp_path):
    measure(*seeds, source_only, '--out', tmp_path / 'a.png')
    assert_picture(tmp_path / 'a.png')
    rows = [[cell.strip() for cell in line.split('|')[1:-1]]
            for line in capsys.readouterr().out.splitlines()
            if line.startswith('|')][2:]
    assert [row[:3] for row in rows] == [['dann-ghpp', '2', '40'],
                                         ['source-only', '1', '40']]
    assert rows[0][4].endswith('± 0.00') and '±' not in rows[1][4]
    with open(tmp_path / 'a.csv', newline='') as file:
        lines = list(csv.DictReader(file))
    assert [line['run'] for line in lines] == [
        'seed0/dann-ghpp', 'seed1/dann-ghpp', 'source/source-only'
    ]
    for line in lines:
        error = float(line['error of the domain classifier (%)']) / 100
        distance = float(line['proxy A-distance'])
        assert distance == pytest.approx(max(0, 2 * (1 - 2 * error)))


@pytest.fixture
def alike(harmonized, changed):
    """A checkpoint whose domains differ by nothing but their images."""

    def change(content, cfg):
        cfg.test_dataloader.dataset.type = 'mmgh.Digits'

    return changed(harmonized, 'alike', change)


def test_run_of_one_domain_is_measured_on_the_data_of_another(
        measure, alike, source_only, tmp_path):
    measure(source_only, alike, '--out', tmp_path / 'a.png', '--seed', 3)
    datasets = domain_datasets(load_trained(alike).cfg, None)
    outputs = outputs_of_domains(load_trained(source_only), datasets, 40, 3)
    expected = domain_error(outputs['source'].features.numpy(),
                            outputs['target'].features.numpy(), seed=3)
    with open(tmp_path / 'a.csv', newline='') as file:
        line = next(csv.DictReader(file))
    assert float(line['error of the domain classifier (%)']
                 ) == pytest.approx(100 * expected)


def test_domains_are_drawn_in_equal_size(measure, without_labels, tmp_path):
    """The target has 12 images, and needs no labels."""
    measure(without_labels, '--out', tmp_path / 'a.png')
    with open(tmp_path / 'a.csv', newline='') as file:
        assert next(csv.DictReader(file))['images of each domain'] == '12'


def test_run_of_one_domain_and_of_other_classes_is_refused(
        measure, harmonized, source_only, changed):

    def change(content, cfg):
        content['meta']['dataset_meta'] = dict(classes=['a', 'b'])

    other = changed(source_only, 'other', change)
    with pytest.raises(SystemExit, match=f'{other} should have the classes'):
        measure(harmonized, other)


def test_one_domain_alone_is_refused(measure, source_only):
    with pytest.raises(SystemExit, match='should be a domain pair'):
        measure(source_only)


def test_too_few_images_are_refused(measure, harmonized):
    with pytest.raises(SystemExit, match='at least 5 images, but got 3'):
        measure(harmonized, '--max-images', 3)


def test_diverged_run_is_refused(measure, diverged):
    with pytest.raises(SystemExit, match='diverged.pth should give finite'):
        measure(diverged)


def test_wrong_run_is_refused(measure, wrong_run):
    path, message = wrong_run
    with pytest.raises(SystemExit, match=message):
        measure(path)


def test_wrong_device_is_refused(measure, harmonized, capsys):
    with pytest.raises(SystemExit):
        measure(harmonized, '--device', 'abacus')
    assert "device that torch finds, but is 'abacus'" in (
        capsys.readouterr().err)
