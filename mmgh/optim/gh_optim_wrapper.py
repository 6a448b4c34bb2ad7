from __future__ import annotations

from mmengine.optim import OptimWrapper

from mmgh.registry import OPTIM_WRAPPERS
from .harmonization_mixin import HarmonizationMixin


@OPTIM_WRAPPERS.register_module()
class GHOptimWrapper(HarmonizationMixin, OptimWrapper):
    r"""Harmonizes the gradients of the tasks before each step.

    It compares the gradients of the task losses :math:`L_i` by their Gramian,
    which a harmonizer turns into weights :math:`w_i`, and steps with the
    gradient of the dynamically weighted loss :math:`\sum_i w_i L_i`. Without
    conflict every weight is exactly 1, and the step is the stock wrapper's.

    The model marks its tasks, see :class:`mmgh.task_losses.TaskLossMixin`.

    Where gradients are compared is the ``probe``:

    - ``'parameters'``: exact. One whole backward pass per task; the gradients
      are kept and summed with their weights, there is no further pass. It
      takes memory for one more gradient per further task.
    - ``'modules'``: exact on the modules named in ``shared``. Backward passes
      that end there, then one of the weighted loss: cheap for late layers.
    - ``'features'``: at the features that the model marks as shared. Backward
      passes of the heads, then one of the weighted loss: about the cost of a
      stock step. It is an approximation; the angle is another one.

    Under data parallelism the whole batch is harmonized: gradients of tasks
    (``'features'``: their Gramians) are averaged over the ranks before they
    are weighed. With gradient accumulation, ``'parameters'`` harmonizes what
    was accumulated, the others each micro-batch.

    ``train/conflict`` (0 or 1), ``train/cosine``, ``train/angle`` (degrees),
    ``train/norm_ratio`` (gradient 1 over 2), ``train/grad_norm_<task>``,
    ``train/weight_<task>`` and ``train/opposed`` (1 where the step lets the
    loss of a task grow) go to the message hub at each comparison, from where
    every visualisation backend gets them. Where there are several pairs their
    names end in ``_<task 1>_<task 2>``; of each two of more tasks that are
    harmonized together there are ``conflict`` and ``angle``.

    Args:
        harmonizer (dict | Callable | Sequence): Config of a harmonizer, or
            any function from a ``(K, K)`` Gramian to K weights. Also a list,
            one for each pair.
        pairs (Sequence[Sequence[str]], optional): Names of tasks that are
            harmonized with each other, two by two; of each pair the first is
            task 1. A task in several pairs gets the product of its weights.
            Defaults to None: the pairs that the model (its UDA head) names;
            without any, and for harmonizers of any number of tasks, all
            tasks together.
        probe (str): ``'parameters'``, ``'modules'`` or ``'features'``.
            Defaults to ``'parameters'``.
        shared (Sequence[str], optional): Names of modules or parameters of
            the model, such as ``['backbone', 'neck']``, whose gradients are
            compared. Defaults to None: the parameters that the tasks to
            harmonize all reach. Not for ``probe='features'``.
        apply_to (str, optional): ``'loss'`` weighs the whole gradient of a
            task, as in the published code. ``'shared'`` weighs it on what is
            compared (``'features'``: on all that is before them) and leaves a
            discriminator or a classifier its unweighted gradient. Not for
            ``probe='modules'``. Defaults to None: what the harmonizer is made
            for, ``'loss'`` but for :class:`RelativeClip`.
        max_weight (float, optional): Bound on the size of each weight of a
            pair, at least 1; ``float('inf')`` for none. GH's weight of a task
            is unbounded when its gradient is much shorter than the other's,
            as at the start of a reversal warm-up. 1 is refused with GH and
            others whose weights are never below it: it would turn them off.
            Defaults to None: that of the harmonizer, else the number of
            tasks: 2 for GH and GH++.
        interval (int): Compare at each ``interval``-th step, and reuse the
            weights in between, in ordinary steps. One that leaves only the
            first step is warned of. Only with ``apply_to='loss'``. Defaults
            to 1.
        reduce_dtype (str, optional): ``'bfloat16'`` sends the gradients of
            the tasks between ranks in half as many bytes, and rounds them to
            three digits; they are compared and added in the type that they
            have. Not for ``probe='features'``. Defaults to None: as they are.
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.

    Example:
        >>> optim_wrapper = dict(
        ...     type='mmgh.GHOptimWrapper',
        ...     harmonizer=dict(type='mmgh.GHPlusPlus'),
        ...     optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
    """
