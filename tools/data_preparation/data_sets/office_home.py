"""Office-Home: Deep Hashing Network for Unsupervised Domain Adaptation
(CVPR 2017)."""
from ..image_folder import ImageFolder
from ..record import DataSet, Source

OFFICE_HOME = DataSet(
    name='office-home',
    folder='office_home',
    page='https://www.hemanthdv.org/officeHomeDataset.html',
    terms='for non-commercial research and education',
    sources=(Source(
        name='OfficeHomeDataset_10072016.zip',
        urls=('https://drive.google.com/file/d/0B81rNlvomiwed0V1YUxQdC1uOTg/'
              'view?resourcekey=0-2SNWq0CDAuWOBRRBL7ZZsw', ),
        md5='b1c14819770c4448fd5b6d931031c91c',
        parts=tuple(
            ImageFolder(domain, images=images, classes=65)
            for domain, images in (('Art', 2427), ('Clipart', 4365),
                                   ('Product', 4439), ('Real World',
                                                       4357)))), ))
