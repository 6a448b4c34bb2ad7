"""Packaging of mmgh: pip install ."""
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent


def requirements(name: str) -> list:
    """Read a file of requirements, without its comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


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
    long_description=(ROOT / 'README.md').read_text(),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    cmdclass={'sdist': SourceDistribution},
    packages=find_packages(include=['mmgh', 'mmgh.*']),
    package_data={'mmgh': ['py.typed']},
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
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        *(f'Programming Language :: Python :: 3.{minor}'
          for minor in range(9, 14)),
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
        'Typing :: Typed',
    ],
    zip_safe=False)
