"""The part of a training that predicts, without what only trains."""
from __future__ import annotations

from mmengine.config import Config

from mmgh.config_data import unmarked
from mmgh.models import UDAClassifier
from mmgh.registered_types import find_registered, missing_types
from .translations import Weights

_PARTS = ('backbone', 'neck', 'head', 'data_preprocessor')
# What trains, beside hooks, which nobody builds to predict.
_TRAINS = ('train_dataloader', 'custom_imports')


def predicting_part(cfg: Config,
                    state_dict: Weights) -> tuple[Config, Weights] | None:
    """Leave out the UDA head and whatever else only a training needs, and
    with it the modules that a training imports.

    Args:
        cfg (Config): Of the training, of which nothing is imported.
        state_dict (Mapping[str, Tensor]): Of the trained model.

    Returns:
        tuple: A config of a classifier that predicts the same, without
        ``custom_imports``, and its weights. None if what is left has types
        that are not registered, so that it needs these modules, too.
    """
    model = unmarked(cfg.model)
    kind = find_registered(str(model.get('type')))
    if isinstance(kind, type) and issubclass(kind, UDAClassifier):
        # It predicts like one, and has another preprocessor around that.
        parts = {name: model[name] for name in _PARTS if name in model}
        model = dict(parts, type='ImageClassifier')
        state_dict = {
            name.replace('data_preprocessor.preprocessor.',
                         'data_preprocessor.'): value
            for name, value in state_dict.items()
            if name.partition('.')[0] in _PARTS
        }
    values = {
        **{name: value for name, value in cfg.items() if name not in _TRAINS},
        'model': model
    }
    built = [values.get(name) for name in (
        'model', 'data_preprocessor', 'test_dataloader', 'val_dataloader',
        'test_evaluator', 'val_evaluator')]
    return None if missing_types(built) else (Config(values), state_dict)
