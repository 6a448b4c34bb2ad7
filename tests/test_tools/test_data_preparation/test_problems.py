"""What is wrong is named, all of it at once, and can be mended."""
from __future__ import annotations

import shutil

import pytest

from .miniatures import tree


def damage(root, kind: str) -> None:
    images = root / 'dslr/images'
    image = images / 'bike/1.png'
    if kind == 'empty':
        image.write_bytes(b'')
    elif kind == 'no image':
        image.write_bytes(b'<html>')
    elif kind == 'absent':
        image.unlink()
    elif kind == 'other class':
        (images / 'bike').rename(images / 'tricycle')
    elif kind == 'other count':
        shutil.copy(image, images / 'back_pack')
        image.unlink()
        (images / 'bike/a.txt').write_text('no image')
    elif kind == 'loose':
        shutil.copy(image, images)
    elif kind == 'file':
        shutil.rmtree(images)
        images.write_text('')


@pytest.mark.parametrize('kind, problem', [
    ('empty', '1 images are empty: bike/1.png'),
    ('no image', '1 images are no images: bike/1.png'),
    ('absent', '1 images instead of 2'),
    ('absent', 'classes without images: bike'),
    ('other class', 'missing classes: bike'),
    ('other class', 'unknown classes: tricycle'),
    ('other count', 'images of classes: back_pack has 2 instead of 1, '
     'bike has 0 instead of 1'),
    ('loose', '1 images are in no class folder: 1.png'),
    ('file', 'is no folder'),
])
def test_damages_are_named_and_mended(office, kind, problem):
    before = tree(office.root)
    damage(office.root, kind)
    problems = office.verify()
    assert f'dslr/images: {problem}.' in problems
    assert all(text.startswith('dslr/') for text in problems)
    assert office.complete() == []
    now = tree(office.root)
    kept = {name for name in now if name.startswith('.replaced/1/dslr')}
    assert kept and {name: now[name] for name in now.keys() - kept} == before


def test_truncated_image_is_found_by_decoding(package, office):
    image = office.root / 'amazon/images/bike/1.png'
    image.write_bytes(image.read_bytes()[:-30])
    assert office.verify() == []
    careful = package.prepare.Preparation(
        office.data_set, office.root, decode=True)
    assert careful.verify() == [
        'amazon/images: 1 images cannot be decoded: bike/1.png.']
    assert careful.complete() == [] and careful.verify() == []


def test_first_ten_and_a_count(mini):
    preparation = mini('office-home')
    preparation.complete()
    for i in range(13):
        place = preparation.root / f'Real World/class_a/{i:02}.jpg'
        place.write_bytes(b'')
    problems = preparation.verify()
    names = ', '.join(f'class_a/{i:02}.jpg' for i in range(10))
    assert f'Real World: 13 images are empty: {names} and 3 more.' in problems


def test_classes_should_be_the_same_everywhere(mini):
    preparation = mini('office-home')
    preparation.complete()
    (preparation.root / 'Art/class_a').rename(preparation.root / 'Art/class_c')
    hint = ' Delete the domain that is wrong, and it is brought again.'
    assert preparation.verify() == [
        f'Art lacks classes that other domains have: class_a.{hint}', *(
            f'{domain} lacks classes that other domains have: class_c.{hint}'
            for domain in ('Clipart', 'Product', 'Real World'))
    ]
    shutil.rmtree(preparation.root / 'Art')
    preparation.complete()
    assert preparation.verify() == []


@pytest.mark.parametrize('text, problem', [
    ('aeroplane/0.png 0\n', '1 lines instead of 2'),
    ('aeroplane/0.png\nbicycle/1.png 12\n',
     '2 lines should end in a label from 0 to 11, but do not: '
     'aeroplane/0.png, bicycle/1.png 12'),
    ('aeroplane/0.png 0\nbicycle/9.png 1\n',
     '1 of its images are missing: bicycle/9.png'),
])
def test_wrong_lists_are_named(mini, text, problem):
    preparation = mini('visda2017')
    preparation.complete()
    (preparation.root / 'train/image_list.txt').write_text(text)
    assert preparation.verify() == [f'train/image_list.txt: {problem}.']


@pytest.mark.parametrize('name, path', [
    ('mnist', 'train-images-idx3-ubyte'), ('mnist', 't10k-labels-idx1-ubyte'),
    ('usps', 'usps.t.bz2'), ('svhn', 'train_32x32.mat')])
def test_damaged_digits_are_named_and_mended(mini, name, path):
    preparation = mini(name)
    preparation.complete()
    place = preparation.root / path
    right = place.read_bytes()
    for wrong in (b'', right[:len(right) // 2], b'nonsense' + right):
        place.write_bytes(wrong)
        problem, = preparation.verify()
        assert problem.startswith(f'{path}: cannot be read')
    assert preparation.complete() == []
    assert place.read_bytes() == right


def test_other_labels_are_noticed(mini):
    preparation = mini('mnist')
    preparation.complete()
    place = preparation.root / 't10k-labels-idx1-ubyte'
    place.write_bytes(place.read_bytes()[:-1] + b'\7')
    assert preparation.verify() == [
        't10k-labels-idx1-ubyte: images of labels: 1 has 0 instead of 1, '
        '7 has 1 instead of 0.']


def test_labels_come_after_images_that_are_mended(mini):
    """VisDA's test labels lie in a folder that another file replaces."""
    preparation = mini('visda2017')
    preparation.complete()
    (preparation.root / 'test/trunk00/1.png').unlink()
    assert preparation.complete() == []


def test_images_that_only_the_lists_know_are_brought(mini, server):
    """As after somebody else's unpacking that was interrupted."""
    preparation = mini('domainnet')
    preparation.complete()
    image = preparation.root / 'real/class_a/0.png'
    image.rename(image.with_name('other.png'))
    (preparation.root / 'real_test.txt').unlink()
    assert preparation.verify() == [
        'real_test.txt is missing.',
        'real_train.txt: 1 of its images are missing: real/class_a/0.png.']
    assert preparation.complete() == []
    assert image.exists()
