"""DomainNet, cleaned version: Moment Matching for Multi-Source Domain
Adaptation (ICCV 2019).

The archives hold duplicates that the lists leave out, so images are counted
by the lists.
"""
from ..image_folder import ImageFolder
from ..image_list import ImageList
from ..record import DataSet, Source

PLACE = 'http://csr.bu.edu/ftp/visda/2019/multi-source'
# Archive, then for each list its lines and its checksum.
DOMAINS = {
    'clipart': ('groundtruth/clipart.zip', 'cd0d8f2d77a4e181449b78ed62bccf1e',
                (33525, 'b4349693a7f9c05c53955725c47ed6cb'),
                (14604, 'f5ddbcfd657a3acf9d0f7da10db22565')),
    'infograph': ('infograph.zip', '720380b86f9e6ab4805bb38b6bd135f8',
                  (36023, '379b50054f4ac2018dca4f89421b92d9'),
                  (15582, '779626b50869edffe8ea6941c3755c71')),
    'painting': ('groundtruth/painting.zip',
                 '1ae32cdb4f98fe7ab5eb0a351768abfd',
                 (50416, '7db0e7ca73ad9982f6e1f7f3ef372c0a'),
                 (21850, '232b35dc53f26d414686ae579e38d9b5')),
    'quickdraw': ('quickdraw.zip', 'bdc1b6f09f277da1a263389efe0c7a66',
                  (120750, 'b732ced3939ac8efdd8c0a889dca56cc'),
                  (51750, 'c1a828fdfe216fb109f1c0083a252c6f')),
    'real': ('real.zip', 'dcc47055e8935767784b7162e7c7cca6',
             (120906, '8ebf02c2075fadd564705f0dc7cd6291'),
             (52041, '6098816791c3ebed543c71ffa11b9054')),
    'sketch': ('sketch.zip', '658d8009644040ff7ce30bb2e820850f',
               (48212, '1233bd18aa9a8a200bf4cecf1c34ef3e'),
               (20916, 'd8a222e4672cfd585298aa14d02ea441')),
}


def sources(domain: str, archive: str, md5: str, *lists) -> list[Source]:
    images = Source(
        name=f'{domain}.zip',
        urls=(f'{PLACE}/{archive}', ),
        md5=md5,
        parts=(ImageFolder(domain, images=None, classes=345), ))
    # The lists first: they tell whether the images are complete.
    return [
        Source(
            name=f'{domain}_{split}.txt',
            urls=(f'{PLACE}/domainnet/txt/{domain}_{split}.txt', ),
            md5=md5_of_list,
            archive=False,
            parts=(ImageList(
                domain,
                path=f'{domain}_{split}.txt',
                lines=lines,
                classes=345), ))
        for split, (lines, md5_of_list) in zip(('train', 'test'), lists)
    ] + [images]


DOMAINNET = DataSet(
    name='domainnet',
    folder='domainnet',
    page='https://ai.bu.edu/M3SDA/',
    terms='for non-commercial research and education',
    sources=tuple(source for domain, facts in DOMAINS.items()
                  for source in sources(domain, *facts)))
