"""Miniatures of the data sets in their published layouts.

Each image has one colour, which tells its label. Each class has three images
in the source, two in the target, and one in the test data of its own, if the
layout has such.
"""
from __future__ import annotations

import bz2
import struct
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from mmgh.feature_files import FeatureDomain, features_path, write_domain

CLASSES = ('bike', 'laptop computer', 'mug')


def colour_of(label: int) -> int:
    return 20 * label + 10


def label_of(image) -> int:
    return round((float(image.float().mean()) - 10) / 20)


def write_image(path: Path, label: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((40, 40, 3), colour_of(label), np.uint8)
    Image.fromarray(pixels).save(path)


def write_folders(root: Path, count: int, names=CLASSES) -> None:
    """Write ``<root>/<class>/<image>``."""
    for label, name in enumerate(names):
        for i in range(count):
            write_image(root / name / f'frame_{i:04}.jpg', label)


def write_list(root: Path, name: str, count: int) -> None:
    """``<root>/<domain>/<class>/<image>`` and a list with labels."""
    domain, lines = name.split('_')[0], []
    for label, folder in enumerate(CLASSES):
        for i in range(count):
            path = f'{domain}/{folder}/{name}_{i:06}.jpg'
            write_image(root / path, label)
            lines.append(f'{path} {label}\n')
    (root / f'{name}.txt').write_text(''.join(lines))


def office31(data: Path) -> None:
    write_folders(data / 'office31/amazon/images', 3)
    write_folders(data / 'office31/webcam/images', 2)


def office_home(data: Path) -> None:
    write_folders(data / 'office_home/Art', 3)
    write_folders(data / 'office_home/Clipart', 2)


def visda2017(data: Path) -> None:
    for domain, count in (('train', 3), ('validation', 2)):
        write_folders(data / 'visda2017' / domain, count)
        (data / 'visda2017' / domain / 'image_list.txt').touch()


def domainnet(data: Path) -> None:
    root = data / 'domainnet'
    write_list(root, 'clipart_train', 3)
    write_list(root, 'sketch_train', 2)
    write_list(root, 'sketch_test', 1)


def folders(data: Path) -> None:
    write_folders(data / 'mine/source', 3)
    write_folders(data / 'mine/target', 2)


def write_features(root: Path, domain: str, count: int, views: int = 2,
                   size: int = 5) -> np.ndarray:
    """Write a domain of features, which it returns: view 0 of class k is k on
    average, and so much above it is another view."""
    root.mkdir(parents=True, exist_ok=True)
    labels = [label for label in range(len(CLASSES)) for _ in range(count)]
    noise = np.random.default_rng(0).uniform(-.1, .1, (len(labels), size))
    values = np.add.outer(np.arange(views) / 2, noise + np.c_[labels])
    np.save(features_path(root, domain), values.astype(np.float16))
    files = [f'{CLASSES[label]}/{i}.jpg' for i, label in enumerate(labels)]
    write_domain(root, domain,
                 FeatureDomain('network', files, list(CLASSES), labels))
    return values.astype(np.float16)


def features(data: Path) -> None:
    write_features(data / 'features', 'source', 3)
    write_features(data / 'features', 'target', 2)


def digits(count: int, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(10 * count, *shape)`` and labels."""
    labels = np.repeat(np.arange(10, dtype=np.uint8), count)
    images = np.ones((len(labels), *shape), np.uint8)
    colours = colour_of(labels).astype(np.uint8)
    return images * colours.reshape(-1, *[1] * len(shape)), labels


def mnist(data: Path, count: int) -> None:
    root = data / 'mnist'
    root.mkdir(parents=True)
    for split, number in (('train', count), ('t10k', 1)):
        images, labels = digits(number, 28, 28)
        for kind, array in (('images-idx3', images), ('labels-idx1', labels)):
            header = struct.pack(f'>{array.ndim + 1}I', 0x800 + array.ndim,
                                 *array.shape)
            (root / f'{split}-{kind}-ubyte').write_bytes(
                header + array.tobytes())


def svhn2mnist(data: Path) -> None:
    mnist(data, 2)
    (data / 'svhn').mkdir()
    for split, count in (('train', 3), ('test', 1)):
        images, labels = digits(count, 32, 32, 3)
        savemat(
            data / f'svhn/{split}_32x32.mat',
            dict(
                X=images.transpose(1, 2, 3, 0),
                y=np.where(labels == 0, 10, labels)[:, None]))


def write_usps(path: Path, images: np.ndarray, labels: list[int]) -> None:
    """Labels from 1 to 10, and pixels from -1 to 1, here from 0 to 1."""
    lines = []
    for image, label in zip(images, labels):
        pixels = enumerate(image.flatten() * 2 - 1, start=1)
        lines.append(f'{label + 1} ' + ' '.join(
            f'{number}:{value}' for number, value in pixels))
    path.write_bytes(bz2.compress('\n'.join(lines).encode()))


def usps(data: Path) -> None:
    (data / 'usps').mkdir()
    images, labels = digits(1, 16, 16)
    write_usps(data / 'usps/usps.t.bz2', images / 255, labels)


def mnist2mnistm(data: Path) -> None:
    mnist(data, 3)
    for split, count in (('train', 2), ('test', 1)):
        root = data / 'mnist_m'
        lines = []
        for i, label in enumerate(np.repeat(np.arange(10), count).tolist()):
            write_image(root / f'mnist_m_{split}/{i:08}.png', label)
            lines.append(f'{i:08}.png {label}\n')
        (root / f'mnist_m_{split}_labels.txt').write_text(''.join(lines))


# The layout of each base, and its numbers of images per class: of the source,
# the target and the test data.
LAYOUTS = {
    'office31_amazon2webcam': (office31, (3, 2, 2)),
    'office_home_art2clipart': (office_home, (3, 2, 2)),
    'visda2017_train2validation': (visda2017, (3, 2, 2)),
    'domainnet_clipart2sketch': (domainnet, (3, 2, 1)),
    'folders': (folders, (3, 2, 2)),
    'svhn2mnist': (svhn2mnist, (3, 2, 1)),
    'mnist2mnistm': (mnist2mnistm, (3, 2, 1)),
}
