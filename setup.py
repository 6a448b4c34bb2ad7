"""Packaging of mmgh: pip install ."""
import os
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
PAPER = 'https://arxiv.org/abs/2408.00288'

for link in ('configs', 'tools'):
    if not (ROOT / 'mmgh/.mim' / link).is_dir():
        raise SystemExit(f'mmgh/.mim/{link} should be a link to {link}, but '
                         'is none: the wheel would lack them. Where links '
                         'are allowed, `git config core.symlinks true` and '
                         '`git checkout mmgh/.mim` make them.')


def requirements(name: str) -> list:
    """Read a file of requirements, without its comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def configs_and_tools() -> list:
    """List the files of `.mim`, where MMEngine and openmim look for them.

    Its links become copies. (Patterns that follow them are understood by
    setuptools from version 62.3 on only.)
    """
    files = glob(str(ROOT / 'mmgh/.mim/**/*'), recursive=True)
    return [
        os.path.relpath(file, ROOT / 'mmgh') for file in sorted(files)
        if not file.endswith(('.sh', '.pyc'))
    ]


class SourceDistribution(sdist):
    """Take along what this file reads."""

    def make_distribution(self):
        self.filelist.extend(
            str(path.relative_to(ROOT))
            for path in sorted(ROOT.glob('requirements/*.txt')))
        super().make_distribution()


version = {}
exec((ROOT / 'mmgh' / 'version.py').read_text(), version)

setup(
    name='mmgh',
    version=version['__version__'],
    description='Gradient harmonization for unsupervised domain adaptation '
    'in OpenMMLab',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author='The authors of mmgh',
    url=PAPER,
    project_urls={
        'Paper': PAPER,
        'Code of the paper': 'https://github.com/fuxianghuang1/GH'
    },
    license='Apache-2.0',
    cmdclass={'sdist': SourceDistribution},
    # The command is in the package, for `python -m mmgh`, and beside it, where
    # it does not import torch.
    packages=[*find_packages(include=['mmgh', 'mmgh.*']), 'mmgh_command'],
    package_dir={'mmgh_command': 'mmgh/command'},
    package_data={'mmgh': ['py.typed', *configs_and_tools()]},
    entry_points={'console_scripts': ['mmgh = mmgh_command:main']},
    python_requires='>=3.9',
    install_requires=requirements('runtime'),
    extras_require={
        name: requirements(name)
        for name in ('openmmlab', 'optional', 'tests')
    },
    keywords=[
        'unsupervised domain adaptation', 'gradient harmonization',
        'multi-task learning', 'OpenMMLab', 'PyTorch'
    ],
    classifiers=[
        'Development Status :: 4 - Beta',
        'Environment :: Console',
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        *(f'Programming Language :: Python :: 3.{minor}'
          for minor in range(9, 14)),
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Topic :: Scientific/Engineering :: Image Recognition',
        'Typing :: Typed',
    ],
    zip_safe=False)
