"""What stands under ``Example:`` in the docstrings is true."""
from __future__ import annotations

import ast
import doctest
import inspect
from importlib import import_module
from typing import Any, Iterator, NamedTuple

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmengine.registry import HOOKS, MODELS, PARAM_SCHEDULERS, TASK_UTILS
from mmengine.runner import set_random_seed
from mmengine.visualization import Visualizer
from mmpretrain.registry import (DATA_SAMPLERS, DATASETS, MODEL_WRAPPERS,
                                 TRANSFORMS)
from torch.utils.data import DataLoader

from .config_names import ROOT
from .registered_classes import PACKAGE, REGISTERED
from .shrunk_configs import build_without_memory

SMALL = ROOT / 'source_only/source-only_lenet_1xb32-1k_digits-digits2digitsm.py'
# For examples without a model: one that any optim wrapper goes with.
MODEL = dict(
    type='mmgh.AlternatingMCDClassifier', uda_head=dict(type='mmgh.MCDHead'))
SGD = dict(type='SGD', lr=0.1)
NEEDS = {'TorchJD': ('torchjd', 'cvxpy')}
# Whose examples are not configs, and why nothing can be built from them.
EXEMPT = {
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


def build_model(model: dict, base: str, folder) -> torch.nn.Module:
    """In full size, over a base that says what the example does not."""
    if 'backbone' in model:
        config = Config(dict(model=model, data_preprocessor={}))
    else:
        path = folder / 'example.py'
        path.write_text(f'_base_ = {base!r}\nmodel = {model!r}\n')
        config = Config.fromfile(path)
    return build_without_memory(config)


def build_optimizer(optim_wrapper: dict, model) -> None:
    if 'constructor' not in optim_wrapper:
        optim_wrapper = {'optimizer': SGD, **optim_wrapper}
    build_optim_wrapper(model, optim_wrapper)


def check_arguments(config: Any, *given: str) -> None:
    """Of all that has a type, by its signature: its data may be missing.

    Args:
        config (Any): Where the types are.
        *given (str): What MMEngine gives besides.
    """
    if isinstance(config, (list, tuple)):
        for item in config:
            check_arguments(item)
    if not isinstance(config, dict):
        return
    for value in config.values():
        check_arguments(value)
    if 'type' not in config:
        return
    found = [
        registry.get(config['type'])
        for registry in (DATASETS, DATA_SAMPLERS, TRANSFORMS, MODEL_WRAPPERS)
    ]
    assert any(found), f"{config['type']} is in no registry"
    known, required = arguments_of(next(filter(None, found)))
    names = {*config, *given} - {'type'}
    assert names <= known, f'unknown: {sorted(names - known)}'
    assert names >= required, f'missing: {sorted(required - names)}'


def arguments_of(kind: type) -> tuple[set[str], set[str]]:
    """Those that it takes, and those of them that it needs."""
    known, required = set(), None
    for base in kind.__mro__:
        if '__init__' not in vars(base):
            continue
        parameters = list(
            inspect.signature(base.__init__).parameters.values())[1:]
        known |= {p.name for p in parameters}
        if required is None:
            required = {
                p.name for p in parameters if p.default is p.empty
                and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
            }
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return known, required or set()


def check_dataloader(config: dict) -> None:
    assert set(config) <= set(inspect.signature(DataLoader).parameters)
    check_arguments(config['dataset'])
    check_arguments(config.get('sampler'), 'dataset')


def check_layers(config: dict | list) -> None:
    with torch.device('meta'):
        for layer in config if isinstance(config, list) else [config]:
            MODELS.build(layer)


def check_uda_head(config: dict) -> None:
    MODELS.build(dict(in_channels=8, num_classes=3, **config))


def check_hooks(config: list) -> None:
    Visualizer.get_instance('examples')  # a hook may look for one
    for hook in config:
        HOOKS.build(hook)


def check_param_scheduler(config: dict) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1)
    PARAM_SCHEDULERS.build(config, default_args=dict(optimizer=optimizer))


CHECKS = {
    'backbone': check_layers,
    'neck': check_layers,
    'head': check_layers,
    'data_preprocessor': check_layers,
    'uda_head': check_uda_head,
    'harmonizer': TASK_UTILS.build,
    'custom_hooks': check_hooks,
    'default_hooks': lambda config: check_hooks(list(config.values())),
    'param_scheduler': check_param_scheduler,
    'val_evaluator': Evaluator,
    'test_evaluator': Evaluator,
    'train_dataloader': check_dataloader,
    'val_dataloader': check_dataloader,
    'test_dataloader': check_dataloader,
    'dataset': check_arguments,
    'sampler': lambda config: check_arguments(config, 'dataset'),
    'randomness': lambda config: inspect.signature(set_random_seed).bind(
        **config),
    'model_wrapper_cfg': lambda config: check_arguments(config, 'module'),
}


@pytest.mark.parametrize('example', EXAMPLES, ids=lambda e: e.name)
def test_example_is_true(example, tmp_path, monkeypatch):
    # A wrapper for mixed precision is built without a GPU, too.
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available',
                        lambda: True)
    for package in NEEDS.get(example.name, ()):
        pytest.importorskip(package)
    names = run(example)
    base = names.pop('_base_', str(SMALL))
    model = build_model(names.pop('model', MODEL), base, tmp_path)
    if 'optim_wrapper' in names:
        build_optimizer(names.pop('optim_wrapper'), model)
    for name, config in names.items():
        if name not in CHECKS:
            pytest.fail(
                f'The example of {example.name} assigns `{name}`, which '
                'nothing checks: give it a name of `CHECKS` in '
                'tests/test_docstring_examples.py, or add a check there.')
        CHECKS[name](config)


@pytest.mark.parametrize('item', REGISTERED, ids=lambda item: item.name)
def test_every_registered_class_has_an_example(item):
    if not any(example.name == item.name for example in EXAMPLES):
        pytest.fail(f'Add an `Example:` of a config to the docstring of '
                    f'{item.name} in {item.file}.')


def test_exempt_are_examples():
    assert set(EXEMPT) <= {example.name for example in EXAMPLES}
