"""Table and plot of tools/analysis/per_class.py."""
from __future__ import annotations

import csv
from functools import partial

import pytest
import torch
from mmengine.dataset import default_collate

from mmgh.analysis import load_trained, target_dataset
from .conftest import DIGITS, assert_picture


@pytest.fixture(scope='module')
def per_class(tools):
    """``per_class(*args)`` runs the tool."""
    return partial(tools, 'analysis/per_class', '--device', 'cpu')


@torch.no_grad()
def accuracies(run) -> tuple[dict[str, float], dict[str, int], float]:
    """Of each class in percent, number of its images, and of all images; by
    the model's own predictions."""
    trained = load_trained(run)
    model = trained.build_model()
    dataset = target_dataset(trained.cfg, None)
    classes = trained.classes
    right: dict[str, list[bool]] = {name: [] for name in classes}
    for sample in model.val_step(default_collate(list(dataset))):
        label = int(sample.gt_label)
        right[classes[label]].append(int(sample.pred_label) == label)
    everything = sum(right.values(), [])
    return ({name: 100 * sum(r) / len(r) for name, r in right.items()},
            {name: len(r) for name, r in right.items()},
            100 * sum(everything) / len(everything))


def test_numbers_are_those_of_a_plain_loop(per_class, harmonized, source_only,
                                           capsys, tmp_path):
    per_class(source_only, harmonized, '--out', tmp_path / 'a.png',
              '--confusion', tmp_path / 'b.png')
    assert_picture(tmp_path / 'a.png')
    assert_picture(tmp_path / 'b.png')
    before, counts, all_before = accuracies(source_only)
    after, _, all_after = accuracies(harmonized)
    with open(tmp_path / 'a.csv', newline='') as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(before) == 10
    for line in lines:
        name = line['class (oracle: target test labels)']
        assert int(line['images']) == counts[name]
        assert float(line['source-only (%)']) == pytest.approx(before[name])
        assert float(line['dann-ghpp (%)']) == pytest.approx(after[name])
        assert float(line['difference (points)']) == pytest.approx(
            after[name] - before[name])
    change = [float(line['difference (points)']) for line in lines]
    assert change == sorted(change, reverse=True)
    mean, overall = [[cell.strip() for cell in line.split('|')[1:-1]]
                     for line in capsys.readouterr().out.splitlines()
                     if line.startswith('| **')]
    assert overall[1:] == ['400', f'{all_before:.1f}', f'{all_after:.1f}',
                           f'{all_after - all_before:+.1f}']
    means = [sum(each.values()) / 10 for each in (before, after)]
    assert mean[1:] == ['400', *(f'{value:.1f}' for value in means),
                        f'{means[1] - means[0]:+.1f}']


def test_target_without_labels_is_refused(per_class, harmonized,
                                          without_labels):
    with pytest.raises(SystemExit, match='without_labels should have labels'):
        per_class(harmonized, without_labels)


def test_other_classes_are_refused(per_class, harmonized, changed):
    def rename(content, cfg):
        content['meta']['dataset_meta']['classes'] = tuple('abcdefghij')

    other = changed(harmonized, 'other', rename)
    with pytest.raises(SystemExit, match="other should have the classes of "
                       r"dann-ghpp, .* but has \['a', 'b'"):
        per_class(harmonized, other)


def test_other_test_data_are_refused(per_class, harmonized, changed):
    def exchange(content, cfg):
        cfg.test_dataloader.dataset.split = 'train'

    other = changed(harmonized, 'other', exchange)
    with pytest.raises(SystemExit, match='other should have the target test '
                       'data of dann-ghpp'):
        per_class(harmonized, other)


def test_one_run_has_accuracies_and_no_difference(per_class, harmonized,
                                                  capsys, tmp_path):
    per_class(harmonized, '--out', tmp_path / 'a.png')
    assert_picture(tmp_path / 'a.png')
    expected, counts, overall = accuracies(harmonized)
    with open(tmp_path / 'a.csv', newline='') as file:
        header, *lines = csv.reader(file)
    assert header == ['class (oracle: target test labels)', 'images',
                      'dann-ghpp (%)']
    assert {name: int(count) for name, count, _ in lines} == counts
    found = {name: float(accuracy) for name, _, accuracy in lines}
    assert found == pytest.approx(expected)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    table = capsys.readouterr().out
    assert 'difference' not in table and '+' not in table
    assert f'| {overall:.1f} |' in ' '.join(table.split())


def test_options_say_where_the_data_are(per_class, without_labels, tmp_path,
                                        harmonized):
    """Of 12 images without labels one is given to each class, and found."""
    for i, name in enumerate(DIGITS):
        (tmp_path / f'moved/{name}').mkdir(parents=True)
        (tmp_path / f'target/{i}.png').rename(tmp_path / f'moved/{name}/0.png')
    name = 'test_dataloader.dataset'
    per_class(without_labels, '--out', tmp_path / 'a.png', '--cfg-options',
              f'{name}.data_root={tmp_path}/moved', f'{name}.with_label=True')
    with open(tmp_path / 'a.csv', newline='') as file:
        assert [line['images'] for line in csv.DictReader(file)] == ['1'] * 10


def test_wrong_run_is_refused(per_class, harmonized, wrong_run):
    path, message = wrong_run
    with pytest.raises(SystemExit, match=message):
        per_class(harmonized, path)
