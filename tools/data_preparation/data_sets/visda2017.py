"""VisDA-2017, classification: The Visual Domain Adaptation Challenge.

Nobody published checksums of its archives. The images of the test domain are
in folders that are no classes; their labels were published later, in a list
that replaces the one in the archive.
"""
from ..image_folder import ImageFolder
from ..image_list import ImageList
from ..record import DataSet, Source

CLASSES = ('aeroplane', 'bicycle', 'bus', 'car', 'horse', 'knife',
           'motorcycle', 'person', 'plant', 'skateboard', 'train', 'truck')
TRAIN = (14309, 7365, 16640, 12800, 9512, 14240, 17360, 12160, 10731, 11680,
         16000, 9600)
VALIDATION = (3646, 3475, 4690, 10401, 4691, 2075, 5796, 4000, 4549, 2281,
              4236, 5548)
PLACE = 'http://csr.bu.edu/ftp/visda17/clf'
CHALLENGE = ('https://raw.githubusercontent.com/VisionLearningGroup/'
             'taskcv-2017-public/master/classification')


def labels(domain: str, lines: int) -> ImageList:
    return ImageList(
        domain,
        path=f'{domain}/image_list.txt',
        lines=lines,
        classes=len(CLASSES),
        folder=domain)


VISDA2017 = DataSet(
    name='visda2017',
    folder='visda2017',
    page='https://ai.bu.edu/visda-2017/',
    terms='for non-commercial research and education',
    sources=(
        Source(
            name='train.tar',
            urls=(f'{PLACE}/train.tar', ),
            size=7698031104,
            parts=(ImageFolder(
                'train', images=152397, classes=dict(zip(CLASSES, TRAIN))),
                   labels('train', 152397))),
        Source(
            name='validation.tar',
            urls=(f'{PLACE}/validation.tar', ),
            size=1023758336,
            parts=(ImageFolder(
                'validation',
                images=55388,
                classes=dict(zip(CLASSES, VALIDATION))),
                   labels('validation', 55388))),
        Source(
            name='test.tar',
            urls=(f'{PLACE}/test.tar', ),
            parts=(ImageFolder('test', images=72372, classes=None), )),
        Source(
            name='image_list.txt',
            urls=(f'{CHALLENGE}/data/image_list.txt', ),
            archive=False,
            parts=(labels('test', 72372), )),
    ))
