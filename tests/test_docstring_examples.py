"""What stands under ``Example:`` in the docstrings is true."""
from __future__ import annotations

import ast
import doctest
from importlib import import_module
from typing import Any, Iterator, NamedTuple

import pytest
from mmengine.optim.optimizer import amp_optimizer_wrapper

from .config_checks import CHECKS, build_model, build_optimizer
from .config_names import ROOT
from .registered_classes import PACKAGE, REGISTERED

BASE = ROOT / 'source_only/source-only_lenet_1xb32-1k_digits-digits2digitsm.py'
# For examples without a model: one that any optim wrapper goes with.
MODEL = dict(
    type='mmgh.AlternatingMCDClassifier', uda_head=dict(type='mmgh.MCDHead'))
NEEDS = {'TorchJD': ('torchjd', 'cvxpy'), 'TimmFeatures': ('timm', )}
# Whose examples are not configs, and why nothing can be built from them.
EXEMPT = {
    'UDASegmentor': 'a config of mmseg, which its own tests build',
    'TaskLossMixin': 'parts of a class of the user; its tests have whole ones',
}


class Example(NamedTuple):
    """The examples of one docstring."""

    module: str
    name: str
    text: str
    line: int


def find_examples() -> Iterator[Example]:
    for path in sorted(PACKAGE.rglob('*.py')):
        module = '.'.join(
            path.relative_to(PACKAGE.parent).with_suffix('').parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                text = ast.get_docstring(node) or ''
                if '>>>' in text:
                    yield Example(
                        module.replace('.__init__', ''),
                        getattr(node, 'name', module), text,
                        getattr(node, 'lineno', 1))


EXAMPLES = list(find_examples())


def run(example: Example) -> dict[str, Any]:
    """The names that the example assigns, if it prints what it shows."""
    test = doctest.DocTestParser().get_doctest(
        example.text, dict(vars(import_module(example.module))), example.name,
        example.module, example.line)
    code = ast.parse(''.join(line.source for line in test.examples))
    if example.name in EXEMPT:
        return {}
    printed: list[str] = []
    result = doctest.DocTestRunner().run(
        test, out=printed.append, clear_globs=False)
    assert not result.failed, ''.join(printed)
    names = [
        target.id for node in code.body if isinstance(node, ast.Assign)
        for target in node.targets
    ]
    return {name: test.globs[name] for name in names}


@pytest.mark.filterwarnings('ignore:.*GradScaler')
@pytest.mark.parametrize('example', EXAMPLES, ids=lambda e: e.name)
def test_example_is_true(example, tmp_path, monkeypatch):
    # A wrapper for mixed precision is built without a GPU, too.
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available',
                        lambda: True)
    for package in NEEDS.get(example.name, ()):
        pytest.importorskip(package)
    names = run(example)
    base = names.pop('_base_', str(BASE))
    model = build_model(names.pop('model', MODEL), base, tmp_path)
    if 'optim_wrapper' in names:
        build_optimizer(names.pop('optim_wrapper'), model)
    for name, config in names.items():
        if name not in CHECKS:
            pytest.fail(
                f'The example of {example.name} assigns `{name}`, which '
                'nothing checks: give it a name of `CHECKS` in '
                'tests/config_checks.py, or add a check there.')
        CHECKS[name](config)


@pytest.mark.parametrize('item', REGISTERED, ids=lambda item: item.name)
def test_every_registered_class_has_an_example(item):
    if not any(example.name == item.name for example in EXAMPLES):
        pytest.fail(f'Add an `Example:` of a config to the docstring of '
                    f'{item.name} in {item.file}.')


def test_exempt_are_examples():
    assert set(EXEMPT) <= {example.name for example in EXAMPLES}
