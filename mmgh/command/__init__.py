"""The command ``mmgh``: all tools by one name.

It imports nothing of mmgh, and is also installed beside it as
``mmgh_command``: a list of the tools needs no torch.
"""
from __future__ import annotations

import argparse
import ast
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from .early_checks import complaint
from .stand_ins import use_stand_ins

PACKAGE = Path(find_spec('mmgh').origin).parent
# In a clone these are links to its `tools` and `configs`.
TOOLS = PACKAGE / '.mim/tools'
CONFIGS = PACKAGE / '.mim/configs'
COMMANDS = {
    'train': 'train.py',
    'test': 'test.py',
    'prepare': 'prepare_data.py',
    'extract': 'extract_features.py',
    'study': 'study.py',
    'study-report': 'analysis/study_report.py',
    'report': 'report.py',
    'compare': 'analysis/compare_runs.py',
    'conflict': 'analysis/conflict.py',
    'per-class': 'analysis/per_class.py',
    'tsne': 'analysis/tsne.py',
    'a-distance': 'analysis/a_distance.py',
    'rank-correlation': 'analysis/rank_correlation.py',
    'browse': 'analysis/browse.py',
    'export': 'export.py',
    'predict': 'predict.py',
    'step-cost': 'benchmarks/step_cost.py',
}
# As a shell tells of a program that Ctrl+C ended.
STOPPED = 130
ABOUT_CONFIGS = f'''\
A config is a file. If there is none of that name, it is one that comes with
mmgh: dann/NAME.py, also written configs/dann/NAME.py or mmgh::dann/NAME.py;
mmpretrain::resnet/NAME.py is one of another package. All else that is read or
written is relative to the current directory. In a config of your own there is
`_base_ = 'mmgh::dann/NAME.py'`. What comes with mmgh is in
{CONFIGS}

For two folders of images of your own:
mmgh study folders --source FOLDER --target FOLDER
'''


def main(arguments: list[str] | None = None) -> None:
    """Run a tool as if its file had been given to Python.

    So its messages and its exit status are its own.

    Args:
        arguments (list[str], optional): Name of the command, and what the tool
            is given. Defaults to None: those of this process.
    """
    if arguments is None:
        arguments = sys.argv[1:]
    command = make_parser().parse_args(arguments[:1]).command
    tool, given = TOOLS / COMMANDS[command], arguments[1:]
    if {'--help', '-h'} & set(given):
        given = ['--help']  # what else is given changes no help
        use_stand_ins()
    elif told := complaint(command, given, PACKAGE):
        raise SystemExit(told)
    sys.argv = [f'mmgh {command}', *given]  # which --help tells
    sys.path.insert(0, str(tool.parent))
    module = sys.modules['__main__'] = ModuleType('__main__')
    module.__file__ = str(tool)
    try:
        exec(compile(tool.read_bytes(), module.__file__, 'exec'), vars(module))
    except KeyboardInterrupt:
        # Of the imports, which take seconds: tools tell it themselves.
        print('Stopped.', file=sys.stderr)
        raise SystemExit(STOPPED) from None


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the first argument."""
    width = max(map(len, COMMANDS))
    commands = '\n'.join(f'  {name:{width}}  {summary(TOOLS / file)}'
                         for name, file in COMMANDS.items())
    parser = argparse.ArgumentParser(
        'mmgh',
        usage='mmgh COMMAND ...\n       mmgh COMMAND --help',
        description='Gradient harmonization for unsupervised domain '
        f'adaptation.\n\ncommands:\n{commands}',
        epilog=ABOUT_CONFIGS,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'command',
        metavar='COMMAND',
        choices=COMMANDS,
        help='one of these commands')
    version = runpy.run_path(str(PACKAGE / 'version.py'))['__version__']
    parser.add_argument('--version', action='version', version=version)
    return parser


def summary(tool: Path) -> str:
    """Return the first line of the docstring of a tool, without importing
    it."""
    return ast.get_docstring(ast.parse(tool.read_text())).splitlines()[0]
