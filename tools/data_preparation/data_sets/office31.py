"""Office-31: Adapting Visual Category Models to New Domains (ECCV 2010)."""
from ..image_folder import ImageFolder
from ..record import DataSet, Source

CLASSES = ('back_pack', 'bike', 'bike_helmet', 'bookcase', 'bottle',
           'calculator', 'desk_chair', 'desk_lamp', 'desktop_computer',
           'file_cabinet', 'headphones', 'keyboard', 'laptop_computer',
           'letter_tray', 'mobile_phone', 'monitor', 'mouse', 'mug',
           'paper_notebook', 'pen', 'phone', 'printer', 'projector',
           'punchers', 'ring_binder', 'ruler', 'scissors', 'speaker',
           'stapler', 'tape_dispenser', 'trash_can')
AMAZON = (92, 82, 72, 82, 36, 94, 91, 97, 97, 81, 99, 100, 100, 98, 100, 99,
          100, 94, 96, 95, 93, 100, 98, 98, 90, 75, 100, 99, 99, 96, 64)
DSLR = (12, 21, 24, 12, 16, 12, 13, 14, 15, 15, 13, 10, 24, 16, 31, 22, 12, 8,
        10, 10, 13, 15, 23, 18, 10, 7, 18, 26, 21, 22, 15)
WEBCAM = (29, 21, 28, 12, 16, 31, 40, 18, 21, 19, 27, 27, 30, 19, 30, 43, 30,
          27, 28, 32, 16, 20, 30, 27, 40, 11, 25, 30, 24, 23, 21)

OFFICE31 = DataSet(
    name='office31',
    folder='office31',
    page='https://faculty.cc.gatech.edu/~judy/domainadapt/',
    terms='none stated; made for research',
    sources=(Source(
        name='domain_adaptation_images.tar.gz',
        urls=('https://drive.google.com/file/d/0B4IapRTv9pJ1WGZVd1VDMmhwdlE/'
              'view?resourcekey=0-gNMHVtZfRAyO_t2_WrOunA', ),
        md5='1b536d114869a5a8aa4580b89e9758fb',
        parts=tuple(
            ImageFolder(
                domain,
                path=f'{domain}/images',
                aliases=(domain, ),
                images=images,
                classes=dict(zip(CLASSES, counts)))
            for domain, images, counts in (('amazon', 2817, AMAZON),
                                           ('dslr', 498, DSLR),
                                           ('webcam', 795, WEBCAM)))), ))
