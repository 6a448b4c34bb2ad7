"""List all configs: python tools/list_configs.py [--write].

With --write the list replaces the one in configs/README.md, and the index for
`mim search mmgh`, configs/metafile.yml.
"""
from __future__ import annotations

import argparse
import ast
import inspect
import re
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import mmengine
from mmengine.config import Config

from mmgh.registry import MODELS

ROOT = Path(__file__).parents[1] / 'configs'
INDEX = 'metafile.yml'
START = '<!-- python tools/list_configs.py --write -->\n'
END = '<!-- end of the list -->\n'
NAME = re.compile(r'(?P<method>.+?)(-(?P<harmonizer>gh(pp)?(-published)?))?'
                  r'_(?P<backbone>[^_]+)'
                  r'(_(?P<gpus>\d+)xb(?P<batch>\d+)-(?P<iterations>[\d.]+k))?'
                  r'_(?P<data>.+)')
LINKS = {
    None: 'plain',
    'gh': 'GH',
    'gh-published': 'GH as published',
    'ghpp': 'GH++',
    'ghpp-published': 'GH++ as published',
}


class Recipe(NamedTuple):
    """What the names of a config and its harmonized twins have in common."""

    folder: str
    method: str
    data: str
    backbone: str
    batch: str
    iterations: str


def find_recipes(root: Path) -> dict[Recipe, dict[str | None, Path]]:
    """The configs of each recipe, by their harmonizer, the plain one first."""
    recipes: dict[Recipe, dict[str | None, Path]] = {}
    for path in sorted(root.glob('[!_]*/*.py')):
        if path.parent.name == 'studies' or '_base_ = ' not in (
                path.read_text()):
            continue
        name = NAME.fullmatch(path.stem)
        if name is None:
            raise SystemExit(f'{path} should have a name such as '
                             'dann_resnet50_1xb32-20k_office31-amazon2webcam'
                             '.py.')
        parts = [name[part] or '' for part in Recipe._fields[1:]]
        recipe = Recipe(path.parent.name, *parts)
        recipes.setdefault(recipe, {})[name['harmonizer']] = path
    return {
        recipe: dict(sorted(paths.items(), key=lambda item: item[0] or ''))
        for recipe, paths in sorted(recipes.items())
    }


def describe(path: Path) -> str:
    """First line of the docstring of a config, or of what makes its method:
    its UDA head, or a classifier that is more than ``UDAClassifier``."""
    doc = ast.get_docstring(ast.parse(path.read_text()))
    if doc is None:
        model = Config.fromfile(path).model
        is_head = model.type == 'mmgh.UDAClassifier'
        doc = inspect.getdoc(
            MODELS.get(model.uda_head.type if is_head else model.type))
    return doc.splitlines()[0]


def list_methods(recipes: dict) -> list[str]:
    """Table of the methods, by what they say of themselves."""
    methods: dict[str, list] = {}
    for _, group in groupby(recipes, key=lambda r: (r.folder, r.method)):
        group = list(group)
        doc = describe(next(iter(recipes[group[0]].values())))
        methods.setdefault(doc, []).extend(group)
    lines = ['| method | folder | configs | of these harmonized |',
             '| --- | --- | ---: | ---: |']
    for doc, group in methods.items():
        folders = ', '.join(f'[{folder}]({folder})' for folder in
                            dict.fromkeys(r.folder for r in group))
        names = [name for r in group for name in recipes[r]]
        lines.append(f'| {doc} | {folders} | {len(names)} | '
                     f'{len(names) - names.count(None)} |')
    return lines


def list_recipes(recipes: dict) -> list[str]:
    """Table of the configs."""
    lines = ['| name | domains | backbone | batch | iterations | configs |',
             '| --- | --- | --- | ---: | ---: | --- |']
    for recipe, paths in recipes.items():
        links = ', '.join(f'[{LINKS[name]}]({recipe.folder}/{path.name})'
                          for name, path in paths.items())
        lines.append(f"| {' | '.join(recipe[1:])} | {links} |")
    return lines


def make_list(root: Path) -> str:
    recipes = find_recipes(root)
    names = [name for paths in recipes.values() for name in paths]
    return '\n'.join([
        f'{len(names)} configs, {len(names) - names.count(None)} of them '
        'harmonized.', '', *list_methods(recipes), '',
        *list_recipes(recipes), ''])


def make_index(root: Path) -> str:
    """YAML that openmim reads: methods, and the configs of each."""
    methods, models = {}, []
    for recipe, paths in find_recipes(root).items():
        method = methods.setdefault(recipe.method, dict(Name=recipe.method))
        readme = f'{recipe.folder}/README.md'
        # Not that of a data set.
        is_own = recipe.method.startswith(recipe.folder.replace('_', '-'))
        if is_own and (root / readme).exists():
            method['README'] = f'configs/{readme}'
        metadata = {
            'Training Data': recipe.data,
            'Architecture': recipe.backbone,
            **({'Batch Size': int(recipe.batch)} if recipe.batch else {}),
            **({'Iterations': recipe.iterations} if recipe.iterations else {}),
        }
        models += [{
            'Name': path.stem,
            'In Collection': recipe.method,
            'Config': f'configs/{recipe.folder}/{path.name}',
            'Metadata': dict(metadata, Harmonizer=LINKS[name]),
        } for name, path in paths.items()]
    return mmengine.dump(
        dict(Collections=list(methods.values()), Models=models),
        file_format='yaml',
        sort_keys=False)


def replace_list(text: str, new: str) -> str:
    """The text of a README with another list between its two marks."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return before + START + new + END + after


def main() -> None:
    parser = argparse.ArgumentParser(description='List all configs')
    parser.add_argument(
        '--write',
        action='store_true',
        help='replace the list in configs/README.md, and the index')
    args = parser.parse_args()
    if args.write:
        readme = ROOT / 'README.md'
        readme.write_text(replace_list(readme.read_text(), make_list(ROOT)))
        (ROOT / INDEX).write_text(make_index(ROOT))
    else:
        print(make_list(ROOT), end='')


if __name__ == '__main__':
    main()
