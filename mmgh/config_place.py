"""Where a config is.

It imports nothing but Python's own: the command looks here before it imports
torch.
"""
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def find_config(path: str | Path) -> Path:
    """Find the file of a config.

    Args:
        path (str | Path): A file. If there is none of that name, a config that
            comes with mmgh: ``mmgh::dann/NAME.py``, ``dann/NAME.py`` or
            ``configs/dann/NAME.py``; or with another package of OpenMMLab:
            ``mmpretrain::resnet/NAME.py``.

    Raises:
        FileNotFoundError: If there is none.
    """
    if Path(path).is_file():
        return Path(path)
    if Path(path).is_dir():
        raise FileNotFoundError(
            f'{str(path)!r} should be a config, but is a folder.')
    package, _, name = str(path).rpartition('::')
    package = package or 'mmgh'
    spec = find_spec(package) if package.isidentifier() else None
    if spec and spec.origin and '..' not in Path(name).parts:
        configs = Path(spec.origin).parent / '.mim/configs'
        found = configs / name.removeprefix('configs/')
        if found.is_file():
            return found
    raise FileNotFoundError(
        f'{path} should be a config that is there, or that comes with '
        f'{package}, but there is none.')
