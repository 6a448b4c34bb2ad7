"""Lists of images, and the names of their classes."""
from __future__ import annotations

import pytest

from mmgh.datasets import DomainPairDataset, ImageList


@pytest.fixture
def read(tmp_path):
    """``read(lines)`` writes a list and reads it."""

    def read_lines(*lines: str, num_classes: int = 3) -> ImageList:
        (tmp_path / 'list.txt').write_text('\n'.join(lines))
        return ImageList(
            'list.txt', num_classes=num_classes, data_root=str(tmp_path))

    return read_lines


def test_folders_name_the_classes(read, tmp_path):
    dataset = read('real/zebra/a b.jpg 0', 'real/ant/1.jpg 2',
                   'real/cat/2.jpg 1', 'real/ant/3.jpg 2')
    assert dataset.metainfo['classes'] == ('zebra', 'cat', 'ant')
    assert dataset.get_gt_labels().tolist() == [0, 2, 1, 2]
    path = dataset.get_data_info(0)['img_path']
    assert path == str(tmp_path / 'real/zebra/a b.jpg')


@pytest.mark.parametrize('lines, message', [
    (['cat/1.jpg 0', 'dog/2.jpg 3'], "from 0 to 2 .*'dog' has 3"),
    (['cat/1.jpg -1'], "from 0 to 2 .*'cat' has -1"),
    (['cat/1.jpg 0', 'dog/2.jpg 0'], "'dog' with 0 meets 'cat' with 0"),
    (['cat/1.jpg 0', 'cat/2.jpg 1'], "'cat' with 1 meets 'cat' with 0"),
    (['cat/1.jpg'], 'Each line of .*list.txt'),
    (['cat/1.jpg cat'], 'Each line of .*list.txt'),
])
def test_wrong_lists_are_refused(read, lines, message):
    with pytest.raises(ValueError, match=message):
        read(*lines)


@pytest.mark.parametrize('ann_file, num_classes, name', [
    ('', 3, 'ann_file'), ('list.txt', 0, 'num_classes')])
def test_wrong_arguments_are_refused(ann_file, num_classes, name):
    with pytest.raises(ValueError, match=f'`{name}`'):
        ImageList(ann_file, num_classes)


def test_a_pair_of_lists_is_compared_by_name(read):
    source = read('a/cat/1.jpg 0', 'a/dog/1.jpg 1')
    with pytest.raises(ValueError, match="class 0 is 'cat' in .*'dog' in"):
        DomainPairDataset(source, read('b/dog/1.jpg 0', 'b/cat/1.jpg 1'))


def test_a_list_may_lack_a_class(read):
    """As some published lists of DomainNet do."""
    source = read('a/cat/1.jpg 0', 'a/dog/1.jpg 1', 'a/fox/1.jpg 2')
    target = read('b/cat/1.jpg 0', 'b/fox/1.jpg 2')
    assert target.metainfo['classes'] == ('cat', '', 'fox')
    assert len(DomainPairDataset(source, target)) == 3
    target = read('b/cat/1.jpg 0', 'b/fox/1.jpg 2', num_classes=4)
    with pytest.raises(ValueError, match='same classes.*3 and 4'):
        DomainPairDataset(source, target)
