"""USPS: A Database for Handwritten Text Recognition Research (TPAMI 1994),
in the normalised form of LIBSVM's data sets."""
from ..digit_file import DigitFile
from ..record import DataSet, Source

PLACE = 'https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets'
# Of the digits 0 to 9, whose labels are 1 to 10.
TRAIN = (1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644)
TEST = (359, 264, 198, 166, 200, 160, 170, 147, 166, 177)


def source(name: str, split: str, md5: str, labels: tuple) -> Source:
    part = DigitFile(
        split,
        path=name,
        form='libsvm',
        images=sum(labels),
        labels=dict(enumerate(labels, start=1)))
    return Source(
        name=name,
        urls=(f'{PLACE}/multiclass/{name}', ),
        md5=md5,
        archive=False,
        parts=(part, ))


USPS = DataSet(
    name='usps',
    folder='usps',
    page=f'{PLACE}/multiclass.html#usps',
    terms='none stated; made for research',
    sources=(
        source('usps.bz2', 'train', 'ec16c51db3855ca6c91edd34d0e9b197', TRAIN),
        source('usps.t.bz2', 'test', '8ea070ee2aca1ac39742fdd1ef5ed118', TEST),
    ))
