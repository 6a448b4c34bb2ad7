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
    (['cat/1.jpg 0', 'dog/2.jpg 3'], 'from 0 to 2 .*3 is in line 2 of .*list'),
    (['', 'cat/1.jpg -1'], 'from 0 to 2 .*-1 is in line 2 '),
    (['cat/1.jpg 0', 'dog/2.jpg 0'],
     "line 2 .*'dog' with 0 meets 'cat' with 0"),
    (['cat/1.jpg 0', 'cat/2.jpg 1'],
     "line 2 .*'cat' with 1 meets 'cat' with 0"),
    (['cat/1.jpg'], "line 1 of .*list.txt is 'cat/1.jpg'"),
    (['cat/1.jpg 0', ' ', 'cat/1.jpg cat'], "line 3 .* is 'cat/1.jpg cat'"),
    (['0'], "line 1 .* is '0'"),
    (['cat/1.jpg 0', 'cat/2.jpg 0 1'], "line 2 .* is 'cat/2.jpg 0 1'"),
    (['cat/2.jpg 0 0'], "line 1 .* is 'cat/2.jpg 0 0'"),
])
def test_wrong_lists_are_refused(read, lines, message):
    with pytest.raises(ValueError, match=message):
        read(*lines)


@pytest.mark.parametrize('text', [
    b'a/cat/1.jpg 0\na/dog/2.jpg 1\n\n',
    b'\xef\xbb\xbfa/cat/1.jpg 0\na/dog/2.jpg 1',
    b'a/cat/1.jpg 0\r\n\r\na/dog/2.jpg 1\r\n',
    b'a/cat/1.jpg 0\ra/dog/2.jpg 1\r',
    b'\n  \na/cat/1.jpg 0  \na/dog/2.jpg\t1\n \n',
], ids=['blank', 'BOM', 'CRLF', 'CR', 'spaces'])
def test_lists_of_any_editor_say_the_same(tmp_path, text):
    (tmp_path / 'list.txt').write_bytes(text)
    dataset = ImageList('list.txt', num_classes=2, data_root=str(tmp_path))
    assert dataset.metainfo['classes'] == ('cat', 'dog')
    assert [dataset.get_data_info(i)['img_path'] for i in range(2)] == [
        str(tmp_path / 'a/cat/1.jpg'), str(tmp_path / 'a/dog/2.jpg')]
    assert dataset.get_gt_labels().tolist() == [0, 1]


def test_text_of_another_encoding_is_refused(tmp_path):
    (tmp_path / 'list.txt').write_bytes('a/cat/1.jpg 0'.encode('utf-16'))
    with pytest.raises(ValueError, match='list.txt should be .* UTF-8'):
        ImageList('list.txt', num_classes=2, data_root=str(tmp_path))


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
