"""Paths among the arguments that are not there, told before torch is imported.

Of the arguments count the words before the first option, and options of their
full names: these are paths without doubt. The tools check all of them, and
more, and say the same.
"""
from __future__ import annotations

import os
import runpy
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Iterator, Mapping, NamedTuple

Check = Callable[[str], str]
CONFIGS = '.py', '.json', '.yaml', '.yml'


class Paths(NamedTuple):
    """What there is to check of the paths of a command."""

    words: tuple[Check, ...] = ()
    """Of the first words, one each."""
    others: Check | None = None
    """Of all words that follow."""
    options: Mapping[str, Check] = MappingProxyType({})
    """Of the word after an option."""


def complaint(command: str, given: list[str], package: Path) -> str:
    """Say which path should be there, and is not.

    Args:
        command (str): Name of it.
        given (list[str]): Its arguments.
        package (Path): Folder of mmgh.

    Returns:
        str: A sentence; empty if there is nothing to say.
    """
    paths = _paths(package)
    is_folders = command == 'study' and given[:1] == ['folders']
    known = paths.get('study folders' if is_folders else command, Paths())
    return next(filter(None, _complaints(known, given)), '')


def _complaints(known: Paths, given: list[str]) -> Iterator[str]:
    first = next((i for i, word in enumerate(given) if word.startswith('-')),
                 len(given))
    for number, word in enumerate(given[:first]):
        check = known.words[number] if number < len(
            known.words) else known.others
        if check:
            yield check(word)
    for option, check in known.options.items():
        for word in _values(option, given[first:]):
            yield check(word)


def _values(option: str, given: list[str]) -> Iterator[str]:
    """Yield what follows an option, which may come without a value."""
    for word, following in zip(given, [*given[1:], '-']):
        if word == option and not following.startswith('-'):
            yield following
        if word.startswith(f'{option}='):
            yield word.partition('=')[2]


def _paths(package: Path) -> dict[str, Paths]:
    find_config = runpy.run_path(str(package / 'config_place.py'))[
        'find_config']
    images = _ImageFolders(runpy.run_path(str(package / 'image_names.py')))

    def config(path: str) -> str:
        try:
            find_config(path)
        except FileNotFoundError as error:
            return str(error)
        return ''

    def config_or_run(path: str) -> str:
        return config(path) if path.endswith(CONFIGS) else run(path)

    runs = Paths(others=run)
    return {
        'train': Paths((config, ), options={'--resume': to_resume}),
        'test': Paths((config, checkpoint)),
        'study': Paths((config, ), options={'--known': table}),
        'study folders': Paths(
            options={'--source': images.complain_of_source,
                     '--target': images.complain_of,
                     '--weights': weights, '--known': table}),
        'study-report': Paths((table, )),
        'extract': Paths((config_or_run, ), others=domain),
        'browse': Paths((config_or_run, )),
        'export': Paths((run, )),
        'predict': Paths((run, ), others=to_predict),
        'tsne': Paths((run, ), options={'--before': run}),
        **dict.fromkeys(('report', 'compare', 'conflict', 'per-class',
                         'a-distance', 'rank-correlation'), runs),
    }


def run(path: str) -> str:
    """Complain of a run that is not there."""
    return '' if os.path.exists(path) else (
        f'{path} should be a work directory or a checkpoint, but does not '
        'exist.')


def checkpoint(path: str) -> str:
    """Complain of a checkpoint, or a run, that is not there; MMEngine also
    reads addresses."""
    return '' if ':' in path or os.path.exists(path) else (
        f'{path} should be a checkpoint, but is no file.')


def to_resume(path: str) -> str:
    """Complain of a checkpoint to resume from that is not there, or is the
    folder of a run."""
    return '' if path == 'auto' or ':' in path or os.path.isfile(path) else (
        f'{path!r} should be a checkpoint, but is no file; without a value it '
        'is the latest one in the work directory.')


def to_predict(path: str) -> str:
    """Complain of an image, or a folder of them, that is not there."""
    return '' if os.path.exists(path) else (
        f'`images` should name files and folders, but {path} does not exist.')


def weights(path: str) -> str:
    """Complain of weights that are no file."""
    return '' if os.path.isfile(path) else (
        f'`--weights` should be a file, but got {path}.')


def table(path: str) -> str:
    """Complain of results that are not there."""
    return '' if os.path.exists(path) else f'There is no {path}.'


def domain(text: str) -> str:
    """Complain of the folder of FOLDER or NAME=FOLDER."""
    path = text.rpartition('=')[2]
    return '' if os.path.isdir(path) else (
        f'{path} should be a folder of images, but is none.')


class _ImageFolders:
    """Complains of folders of images.

    Args:
        names (dict): The names of mmgh/image_names.py.
    """

    def __init__(self, names: dict) -> None:
        self._extensions = names['EXTENSIONS']
        self._is_hidden = names['is_hidden']

    def complain_of(self, folder: str) -> str:
        """Complain if there is no such folder, or no image in it."""
        if not os.path.isdir(folder):
            return (f'{folder} should be a folder of images, but there is no '
                    'such folder.')
        if next(self._images(folder), None) is None:
            return (f'{folder} should have images '
                    f"({', '.join(self._extensions)}), but has none.")
        return ''

    def complain_of_source(self, folder: str) -> str:
        """Complain if there are no classes, either."""
        told = self.complain_of(folder)
        if told:
            return told
        classes: list[str] = []
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            hidden = self._is_hidden(entry.name)
            if not hidden and entry.is_dir() and next(
                    self._images(entry.path), None):
                classes.append(entry.name)
        return '' if len(classes) > 1 else (
            f'{folder} should have two classes or more, '
            f'<folder>/<class>/<image>, but has the folders {classes}.')

    def _images(self, folder: str) -> Iterator[str]:
        """Yield the images, as far as somebody asks."""
        for place, folders, files in os.walk(folder, followlinks=True):
            folders[:] = [name for name in folders
                          if not self._is_hidden(name)]
            yield from (os.path.join(place, name) for name in files
                        if name.lower().endswith(self._extensions)
                        and not self._is_hidden(name))
