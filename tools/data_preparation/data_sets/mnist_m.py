"""MNIST-M: Unsupervised Domain Adaptation by Backpropagation (ICML 2015), as
images."""
from ..image_folder import ImageFolder
from ..image_list import ImageList
from ..record import DataSet, Source


def parts(split: str, images: int) -> tuple:
    folder = f'mnist_m_{split}'
    return (ImageFolder(split, path=folder, images=images, classes=None),
            ImageList(
                split,
                path=f'{folder}_labels.txt',
                lines=images,
                classes=10,
                folder=folder))


MNIST_M = DataSet(
    name='mnist-m',
    folder='mnist_m',
    page='http://yaroslav.ganin.net/',
    terms='none stated; made for research',
    sources=(Source(
        name='mnist_m.tar.gz',
        urls=('https://drive.google.com/file/d/0B_tExHiYS-0veklUZHFYT19KYjg/'
              'view?resourcekey=0-DE7ivVVSn8PwP9fdHvSUfA', ),
        md5='859df31c91afe82e80e5012ba928f279',
        parts=parts('train', 59001) + parts('test', 9001)), ))
