"""Registries of mmgh: children of MMEngine's, one per kind that we add.

A config finds ``mmgh.X`` without ``custom_imports``: MMEngine imports this
file by its name, and ``locations`` says what to import next.
"""
from mmengine import registry as mmengine_registry
from mmengine.registry import Registry

MODELS = Registry(
    'model', parent=mmengine_registry.MODELS, locations=['mmgh.models'])
MODEL_WRAPPERS = Registry(
    'model_wrapper',
    parent=mmengine_registry.MODEL_WRAPPERS,
    locations=['mmgh.models'])
DATASETS = Registry(
    'dataset', parent=mmengine_registry.DATASETS, locations=['mmgh.datasets'])
TRANSFORMS = Registry(
    'transform',
    parent=mmengine_registry.TRANSFORMS,
    locations=['mmgh.datasets'])
DATA_SAMPLERS = Registry(
    'data sampler',
    parent=mmengine_registry.DATA_SAMPLERS,
    locations=['mmgh.datasets'])
OPTIM_WRAPPERS = Registry(
    'optim_wrapper',
    parent=mmengine_registry.OPTIM_WRAPPERS,
    locations=['mmgh.optim'])
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    'optimizer wrapper constructor',
    parent=mmengine_registry.OPTIM_WRAPPER_CONSTRUCTORS,
    locations=['mmgh.optim'])
PARAM_SCHEDULERS = Registry(
    'parameter scheduler',
    parent=mmengine_registry.PARAM_SCHEDULERS,
    locations=['mmgh.optim'])
HOOKS = Registry(
    'hook', parent=mmengine_registry.HOOKS, locations=['mmgh.hooks'])
METRICS = Registry(
    'metric', parent=mmengine_registry.METRICS, locations=['mmgh.evaluation'])
# Harmonizers live here: a registry of their own would have no parent, and
# MMEngine warns about such a registry whenever a scope is set.
TASK_UTILS = Registry(
    'task util',
    parent=mmengine_registry.TASK_UTILS,
    locations=['mmgh.harmonizers'])
