"""What the name of a config says, and what its content says of the same."""
from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from .registered_classes import REGISTERED

ROOT = Path(__file__).parents[1] / 'configs'
CONFIGS = sorted(
    path for path in ROOT.glob('*/*.py')
    if path.parent.name not in ('_base_', 'studies', 'segmentation')
    and path.name != 'digit_and_ink.py')  # a model, no config
# These need mmseg, and have tests of their own.
SEGMENTATION = sorted((ROOT / 'segmentation').glob('*_*.py'))
NAMED = [path for path in CONFIGS if path.parent.name != 'folders']
HARMONIZERS = {'gh': 'mmgh.GH', 'ghpp': 'mmgh.GHPlusPlus'}
HARMONIZED = [
    path for path in NAMED
    if re.search('-(gh|ghpp)(-published)?$', path.name.split('_')[0])
]
AS_PUBLISHED = [
    path for path in HARMONIZED
    if path.name.split('_')[0].endswith('-published')
]
# Methods in the study of GH: their twins are on all data sets.
STUDIED = {
    'cdan-e', 'dann', 'dwl', 'gvb', 'mcd', 'mcd-alternating-cls', 'ssrt'
}
# What their published code has besides, in the twins that are as published.
PUBLISHED = {
    'cdan-e': {},
    'dann': {},
    'dwl': dict(model=dict(uda_head=dict(weigh_after=True))),
    'gvb': {},
    'mcd-alternating': dict(model=dict(harmonized_step='B')),
    'ssrt': dict(model=dict(teacher_gradient=True)),
}
# One task, or only as long as nothing harmonizes: its features have two then.
UNHARMONIZED = {'source-only', 'mcd-alternating'}
NAME = re.compile(r'(?P<method>[a-z0-9-]+?)'
                  r'(?:-(?P<harmonizer>(?:gh|ghpp)(?:-published)?))?'
                  r'_(?P<backbone>[a-z0-9-]+)'
                  r'_(?P<gpus>\d+)xb(?P<batch>\d+)-(?P<iters>[\d.]+)k'
                  r'_(?P<data>[a-z0-9-]+)(?:_without-labels)?')

# Model, UDA head, and options of these that make the method.
METHODS = {
    'source-only': ('ImageClassifier', None, {}),
    'multi-task': ('DigitAndInk', None, {}),
    'mcd-alternating': ('mmgh.AlternatingMCDClassifier', 'MCDHead',
                        dict(generator_tasks=None)),
    'mcd-alternating-cls': ('mmgh.AlternatingMCDClassifier', 'MCDHead',
                            dict(generator_tasks=('cls', 'alignment'))),
    'ssrt': ('mmgh.SSRTClassifier', 'DANNHead', {}),
    'cdan-e': ('mmgh.UDAClassifier', 'CDANHead', {}),
    # As the head is called: deep-coral of DeepCORALHead.
    **{
        re.sub('(?<=[a-z])(?=[A-Z])', '-', item.name[:-len('Head')]).lower():
        ('mmgh.UDAClassifier', item.name, {})
        for item in REGISTERED if 'uda_heads' in item.file
    },
}
BACKBONES = {
    'lite0': dict(type='mmgh.PassOn'),  # frozen features of it
    'lenet': dict(type='mmgh.DigitsLeNet'),
    'dtn': dict(type='mmgh.DigitsDTN'),
    'resnet50': dict(type='ResNet', depth=50),
    'resnet101': dict(type='ResNet', depth=101),
    'vit-tiny': dict(type='VisionTransformer', img_size=28),
    'vit-base-p16': dict(
        type='VisionTransformer', arch='base', patch_size=16),
}
PRETRAINED = {
    'resnet50': 'torchvision://resnet50',
    'resnet101': 'torchvision://resnet101',
    'vit-base-p16': 'vit-base-p16_',
}
CLASSES = {
    'digits': 10, 'office31': 31, 'office-home': 65, 'visda2017': 12,
    'domainnet': 345
}
DIGITS = {
    'mmgh.Digits': 'digits', 'mmgh.DigitsM': 'digitsm', 'MNIST': 'mnist',
    'mmgh.USPS': 'usps', 'mmgh.SVHN': 'svhn'
}


class Name(NamedTuple):
    """The parts of a name."""

    method: str
    harmonizer: str | None
    backbone: str
    gpus: int
    batch: int
    iters: float
    data: str

    @property
    def domains(self) -> tuple[str, str, str]:
        """Data set, source and target."""
        dataset, domains = self.data.rsplit('-', 1)
        return (dataset, *domains.split('2'))


def parse(path: Path) -> Name:
    match = NAME.fullmatch(path.stem)
    assert match, f'{path.stem} does not follow the scheme'
    parts = match.groupdict()
    for number in ('gpus', 'batch'):
        parts[number] = int(parts[number])
    return Name(**{**parts, 'iters': float(parts['iters'])})


def plain_of(path: Path) -> Path:
    """The config that a harmonized one is compared with."""
    return path.with_name(
        path.name.replace(f'-{parse(path).harmonizer}_', '_', 1))


def twin_of(path: Path, suffix: str) -> Path:
    """Where the harmonized twin of a plain config is, if there is one."""
    return path.with_name(path.name.replace('_', f'-{suffix}_', 1))


@functools.cache
def _read(path: Path) -> Config:
    return Config.fromfile(path)


def load(path: Path) -> Config:
    """The config, to be changed at will."""
    config = _read(path)
    return Config(config.to_dict(), filename=config.filename)


def load_twin(path: Path) -> Config:
    """A harmonized config, without the name that it takes from its base."""
    config = load(path)
    config.pop(parse(path).harmonizer.replace('-', '_'), None)
    return config


def domain_of(dataset: dict) -> tuple[str, str]:
    """Data set and domain of a config of a data set."""
    if dataset['type'] in DIGITS:
        return 'digits', DIGITS[dataset['type']]
    name = Path(dataset['data_root']).name.replace('_', '-')
    if dataset['type'] == 'mmgh.FeatureFolder':
        return name.rsplit('-', 1)[0], dataset['domain']
    place = dataset.get('data_prefix') or dataset['ann_file']
    return name, re.split('[/_]', place)[0].lower()
