"""SVHN: Reading Digits in Natural Images with Unsupervised Feature Learning
(NIPS workshop 2011), cropped digits."""
from ..digit_file import DigitFile
from ..record import DataSet, Source

PLACE = 'http://ufldl.stanford.edu/housenumbers'
# Of the labels 1 to 10, where 10 is the digit 0.
TRAIN = (13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659, 4948)
TEST = (5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595, 1744)


def source(split: str, md5: str, labels: tuple) -> Source:
    name = f'{split}_32x32.mat'
    part = DigitFile(
        split,
        path=name,
        form='matlab',
        images=sum(labels),
        labels=dict(enumerate(labels, start=1)))
    return Source(
        name=name,
        urls=(f'{PLACE}/{name}', ),
        md5=md5,
        archive=False,
        parts=(part, ))


SVHN = DataSet(
    name='svhn',
    folder='svhn',
    page=f'{PLACE}/',
    terms='for non-commercial use',
    sources=(source('train', 'e26dedcc434d2e4c54c9b2d4a06d8373', TRAIN),
             source('test', 'eb5a983be6a315427106f1b164d9cef3', TEST)))
