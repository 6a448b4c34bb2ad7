from __future__ import annotations

from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from mmgh.input_error import InputError
from mmgh.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class OwnStepDistributedDataParallel(MMDistributedDataParallel):
    """Data parallelism for a model with a training step of its own.

    MMEngine's ``MMDistributedDataParallel`` bypasses a model's ``train_step``.
    (Its ``MMSeparateDistributedDataParallel`` wraps each part of the model
    instead, which then has no ``loss`` and no ``predict`` any more.) Here the
    model does the step, and gets this wrapper as ``run``: what it runs through
    ``run(..., mode=...)`` has its gradients averaged over the processes.

    Args:
        module (nn.Module): Model with
            ``train_step(data, optim_wrapper, run)``.
        find_unused_parameters (bool): Whether a step may leave out some
            parameters. Defaults to True.
        **kwargs: Arguments of ``MMDistributedDataParallel``, but for
            ``detect_anomalous_params``, which looks at one loss.

    Example:
        >>> model_wrapper_cfg = dict(
        ...     type='mmgh.OwnStepDistributedDataParallel',
        ...     broadcast_buffers=False)
    """

    def __init__(self,
                 module: nn.Module,
                 find_unused_parameters: bool = True,
                 **kwargs) -> None:
        if kwargs.get('detect_anomalous_params'):
            raise InputError('`detect_anomalous_params` should be False for a '
                             'model with a training step of its own, but got '
                             'True.')
        super().__init__(
            module, find_unused_parameters=find_unused_parameters, **kwargs)

    def train_step(self, data: dict,
                   optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Do the model's own training step.

        Args:
            data (dict): A batch.
            optim_wrapper (OptimWrapper): One, or several in an
                ``OptimWrapperDict``.

        Returns:
            dict[str, Tensor]: What is logged.
        """
        return self.module.train_step(data, optim_wrapper, run=self)
