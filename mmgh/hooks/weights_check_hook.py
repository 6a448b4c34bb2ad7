from __future__ import annotations

import re
from typing import Mapping

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel
from mmengine.optim import BaseOptimWrapper
from torch import Tensor, nn

from mmgh.checkpoints import check_finite
from mmgh.classifier_outputs import check_finite_outputs
from mmgh.input_error import InputError
from mmgh.registry import HOOKS
from mmgh.unwrap import unwrap

_SHOWN = 3


@HOOKS.register_module()
class WeightsCheckHook(Hook):
    """Refuses a checkpoint that does not fit the model.

    MMEngine loads what fits, and goes on with random weights for the rest.
    Here a test and a resumed training need all weights; in a test those of a
    UDA head may lack, which predicts nothing. A new training that starts from
    a checkpoint needs those of the backbone; if there is no backbone with
    weights, any. What stays random is told in a warning.

    Weights that are infinite or NaN, and such predictions in a test, are
    refused, too: the training diverged.

    Example:
        >>> custom_hooks = [dict(type='mmgh.WeightsCheckHook')]
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Check the weights, before MMEngine loads them."""
        path = _path(runner)
        weights = checkpoint.get('state_dict', checkpoint)
        check_finite(weights, path)
        model = unwrap(runner.model)
        if isinstance(model, BaseTTAModel):
            model = model.module
        names = [name for name in model.state_dict()
                 if not name.endswith('num_batches_tracked')]
        unfit = _unfit(model, weights) & set(names)
        needed = _needed(names, _purpose(runner))
        broken = [name for name in names if name in unfit & needed]
        if broken or unfit == set(names):
            raise InputError(
                f'{path} should have the weights of the model, but '
                f'{len(unfit)} of {len(names)} are not there, or of another '
                f'shape: {_listed(broken or names, model, weights)}. Set '
                '`model` as it was when they were trained, such as '
                '`model.head.num_classes`; '
                '`default_hooks.weights_check=None` lets them be random.')
        if unfit:
            found = [name for name in names if name in unfit]
            runner.logger.warning(
                f'{len(unfit)} of {len(names)} weights are not in {path}, or '
                'of another shape, and stay as they were initialised: '
                f'{_listed(found, model, weights)}. If they are not meant to '
                'be trained anew, set `model` as it was when the others were '
                'trained, such as `model.head.num_classes`.')

    def after_test_iter(self,
                        runner,
                        batch_idx: int,
                        data_batch=None,
                        outputs=None) -> None:
        """Check the predictions."""
        for sample in outputs or ():
            scores = getattr(sample, 'pred_score', None)
            if scores is not None:
                check_finite_outputs(_path(runner), predictions=scores)


def _path(runner) -> str:
    # There is no public way to ask, once a runner is built.
    return runner._load_from or 'The checkpoint'


def _purpose(runner) -> str:
    if not isinstance(runner.optim_wrapper, BaseOptimWrapper):
        return 'test'
    return 'resume' if runner.cfg.get('resume') else 'train'


def _needed(names: list[str], purpose: str) -> set[str]:
    if purpose == 'test':
        # Single buffers, such as counters of iterations, are of the training.
        return {name for name in names
                if '.' in name and not name.startswith('uda_head.')}
    if purpose == 'train':
        return {name for name in names if name.startswith('backbone.')}
    return set(names)


def _unfit(model: nn.Module, weights: Mapping[str, Tensor]) -> set[str]:
    """Return the names of weights of the model that are missing or differ in
    shape.

    Loading them, as MMEngine is about to, is the way to know: some layers
    take weights by other names or of other shapes.
    """
    weights = {
        re.sub(r'^module\.', '', name): value
        for name, value in weights.items()
    }
    try:
        return set(model.load_state_dict(weights, strict=False).missing_keys)
    except RuntimeError as error:
        shapes = re.findall(r'size mismatch for ([^\s:]+):', str(error))
        if not shapes:
            raise
        return set(shapes) | (set(model.state_dict()) - set(weights))


def _listed(names: list[str], model: nn.Module,
            weights: Mapping[str, Tensor]) -> str:
    """Name the first weights; their shapes, where these differ."""
    state = model.state_dict()
    parts = []
    for name in names[:_SHOWN]:
        found = weights.get(name, weights.get(f'module.{name}'))
        shape = tuple(getattr(found, 'shape', state[name].shape))
        wanted = tuple(state[name].shape)
        differs = f' (of shape {shape} instead of {wanted})'
        parts.append(name + differs * (shape != wanted))
    more = len(names) - _SHOWN
    return ', '.join(parts) + (f' and {more} more' if more > 0 else '')
