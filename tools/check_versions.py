"""Run the tests with the oldest and newest versions that are promised.

    python tools/check_versions.py [NAME...] [--folder DIR] [--tests PATH...]

Each environment has a folder of its own, where it is made or brought up to
date, and beside it a log of what pip and pytest say. Python 3.9 and so on are
looked for as ``python3.9`` and among those of pyenv. Where the package index
has torch for CUDA alone, an environment takes 6 GB.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MODULES = ('torch', 'torchvision', 'numpy', 'mmengine', 'mmcv', 'mmpretrain')
COLUMNS = ('environment', 'Python', *MODULES, 'passed', 'failed', 'skipped')


class Environment(NamedTuple):
    """A Python, and what pip installs there besides what all have."""

    python: str
    packages: tuple[str, ...] = ()
    openmmlab: tuple[str, ...] = ('--requirement=requirements/openmmlab.txt', )


def lower_bounds() -> tuple[str, ...]:
    """Read the oldest version of all that a user needs."""
    texts = [(ROOT / f'requirements/{name}.txt').read_text()
             for name in ('runtime', 'openmmlab', 'optional')]
    bounds = re.findall(r'^[\w-]+>=[\d.]+', '\n'.join(texts), re.MULTILINE)
    return tuple(bound.replace('>=', '==') for bound in bounds)


ENVIRONMENTS = {
    'oldest': Environment(
        '3.9', ('torchvision==0.16', 'numpy<2'), lower_bounds()),
    'oldest-python': Environment('3.9'),
    'measured': Environment(
        '3.11', ('--requirement=requirements/torch.txt', )),
    # The first torch and torchvision that there are for this Python.
    'newest-python': Environment('3.13', ('torch==2.6', 'torchvision==0.21')),
    'newest': Environment('3.13'),
    # Forks under the same import names, which forgot OpenCV, and the first
    # torch that torchjd works with, which is in the requirements of tests.
    'onedl-oldest': Environment(
        '3.10',
        ('torch==2.3', 'torchvision==0.18', 'numpy<2', 'opencv-python'),
        ('onedl-mmengine==0.10.8', 'onedl-mmcv==2.3.0',
         'onedl-mmpretrain==1.3.0')),
    'onedl-newest': Environment(
        '3.13', ('torchvision', ),
        ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmpretrain')),
}


def main() -> None:
    args = parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in args.names or ENVIRONMENTS:
        log = args.folder / f'{name}.txt'
        print(f'{name}: the log is {log}', flush=True)
        rows.append(dict(environment=name))
        try:
            with log.open('w') as output:
                python = make(ENVIRONMENTS[name], args.folder / name, output)
                rows[-1].update(installed(python, output))
                rows[-1].update(run_tests(python, args.tests, output))
        except LookupError as error:
            print(f'{name}: {error}', flush=True)
        except subprocess.CalledProcessError as error:
            print(f'{name}: status {error.returncode}, see the end of the log',
                  flush=True)
    print(table(rows))
    sys.exit(any(row.get('failed') != '0' for row in rows))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ', '.join(ENVIRONMENTS)
    parser.add_argument('names', nargs='*', metavar='NAME',
                        help=f'some of {names}; default: all')
    parser.add_argument('--folder', type=Path, metavar='DIR',
                        default=ROOT / 'work_dirs/versions',
                        help='for the environments; default: %(default)s')
    parser.add_argument('--tests', nargs='+', default=[], metavar='PATH',
                        help='what pytest runs; default: all')
    args = parser.parse_args()
    for name in args.names:
        if name not in ENVIRONMENTS:
            parser.error(f'`NAME` should be one of {names}, but got {name}.')
    args.folder = args.folder.resolve()
    return args


def make(environment: Environment, folder: Path, log: IO[str]) -> Path:
    """Install what is missing, or older than it could be; give the Python."""
    run([find_python(environment.python), '-m', 'venv', folder], log)
    python = folder / 'bin/python'
    # Most of what torch brings along is never imported.
    pip = [python, '-m', 'pip', '--disable-pip-version-check', 'install',
           '--no-compile', '--progress-bar', 'off']
    requirements = [f'--requirement=requirements/{name}.txt'
                    for name in ('runtime', 'optional', 'tests')]
    run([*pip, '--upgrade', 'wheel', *requirements, *environment.packages,
         *environment.openmmlab], log)
    run([*pip, '--no-deps', '--no-build-isolation', '--editable', '.'], log)
    return python


def find_python(version: str) -> str:
    """Find an interpreter that starts: a shim of pyenv may not."""
    pyenv = Path(os.environ.get('PYENV_ROOT', '~/.pyenv')).expanduser()
    found = [shutil.which(f'python{version}'),
             *pyenv.glob(f'versions/{version}.*/bin/python')]
    for python in filter(None, found):
        if not subprocess.run([python, '--version'],
                              capture_output=True).returncode:
            return str(python)
    raise LookupError(f'there is no Python {version}.')


def run(command: list, log: IO[str]) -> None:
    """Run a command in the root of the repository, or say that it failed."""
    print('$', *command, file=log, flush=True)
    subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, check=True)


def installed(python: Path, log: IO[str]) -> dict[str, str]:
    """Ask the modules for their versions: forks have packages of own names."""
    code = ('import importlib, platform, mmgh; print(platform.python_version()'
            f', *(importlib.import_module(n).__version__ for n in {MODULES}))')
    output = subprocess.run([python, '-c', code], cwd=ROOT, stderr=log,
                            stdout=subprocess.PIPE, text=True, check=True)
    versions = output.stdout.splitlines()[-1].split()
    return dict(zip(('Python', *MODULES), versions))


def run_tests(python: Path, tests: list[str], log: IO[str]) -> dict[str, str]:
    """Run pytest and count what passed, failed and was skipped."""
    try:
        run([python, '-m', 'pytest', '-rfEs', *tests], log)
    except subprocess.CalledProcessError as error:
        if error.returncode != 1:  # It did not get to the end.
            raise
    return count(Path(log.name).read_text(errors='replace'))


def count(output: str) -> dict[str, str]:
    """Read the summary of pytest; libraries may have a word after it."""
    summary = re.findall('^=+ (.+) in .+ =+$', output, re.MULTILINE)[-1]
    counts = dict.fromkeys(('passed', 'failed', 'skipped'), 0)
    for number, kind in re.findall(r'(\d+) (passed|failed|error|skipped)',
                                   summary):
        counts[kind.replace('error', 'failed')] += int(number)
    return {kind: str(number) for kind, number in counts.items()}


def table(rows: list[dict[str, str]]) -> str:
    """Lay the rows out in Markdown."""
    lines = [COLUMNS, ['---'] * len(COLUMNS),
             *([row.get(column, '-') for column in COLUMNS] for row in rows)]
    return '\n'.join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == '__main__':
    main()
