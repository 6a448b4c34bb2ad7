"""MNIST: Gradient-Based Learning Applied to Document Recognition (1998).

Its own host refuses downloads; the first mirror is the one of torchvision.
"""
from ..digit_file import DigitFile
from ..record import DataSet, Source

MIRRORS = ('https://ossci-datasets.s3.amazonaws.com/mnist',
           'https://storage.googleapis.com/cvdf-datasets/mnist')
TRAIN = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
TEST = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)


def source(path: str, split: str, md5: str, labels=None) -> Source:
    part = DigitFile(
        split,
        path=path,
        form='idx-labels' if labels else 'idx-images',
        images=60000 if split == 'train' else 10000,
        labels=dict(enumerate(labels)) if labels else None)
    return Source(
        name=f'{path}.gz',
        urls=tuple(f'{mirror}/{path}.gz' for mirror in MIRRORS),
        md5=md5,
        parts=(part, ))


MNIST = DataSet(
    name='mnist',
    folder='mnist',
    page='http://yann.lecun.com/exdb/mnist/',
    terms='CC BY-SA 3.0',
    sources=(
        source('train-images-idx3-ubyte', 'train',
               'f68b3c2dcbeaaa9fbdd348bbdeb94873'),
        source('train-labels-idx1-ubyte', 'train',
               'd53e105ee54ea40749a09fcbcd1e9432', TRAIN),
        source('t10k-images-idx3-ubyte', 'test',
               '9fb629c4189551a2d022fa330f9573f3'),
        source('t10k-labels-idx1-ubyte', 'test',
               'ec29112dd5afa0611ce80d1b7f02629c', TEST),
    ))
