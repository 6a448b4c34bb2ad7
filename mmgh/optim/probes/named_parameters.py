from __future__ import annotations

from typing import Sequence

from torch import Tensor, nn

from mmgh.gradients import TaskGradient
from mmgh.input_error import InputError
from mmgh.unwrap import unwrap


class NamedParameters:
    """Parameters of the modules that ``shared`` names.

    Args:
        names (Sequence[str]): Of modules or parameters.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self._parameters: list[Tensor] = []

    def find(self, model: nn.Module) -> None:
        """Look them up, before the first step. Some may be frozen or thawed
        later."""
        model = unwrap(model)
        found: dict[Tensor, None] = {}
        for name in self.names:
            matches = [
                parameter for key, parameter in model.named_parameters()
                if key == name or key.startswith(f'{name}.')
            ]
            if not matches:
                raise InputError(
                    f'`shared` should name modules with parameters, but got '
                    f'{name!r}; the model has '
                    f'{sorted(name for name, _ in model.named_children())}.')
            found.update(dict.fromkeys(matches))
        self._parameters = list(found)
        self.get()

    def get(self) -> list[Tensor]:
        """Return those that are trained at this step.

        Raises:
            ValueError: If all are frozen.
        """
        if not self._parameters:
            raise RuntimeError('`initialize_count_status` should be called '
                               'with the model before the first step, since '
                               f'`shared` names parts of it: {self.names}.')
        trained = [p for p in self._parameters if p.requires_grad]
        if not trained:
            raise InputError('`shared` should name modules that are trained, '
                             f'but {self.names} are frozen.')
        return trained

    def check_reached(self, tasks: Sequence[str],
                      gradients: Sequence[TaskGradient]) -> None:
        """Raise an error if none of them is reached by all tasks."""
        if not any(
                all(parameter in gradient for gradient in gradients)
                for parameter in self.get()):
            raise InputError('`shared` should name modules that the tasks '
                             f'{tuple(tasks)} all depend on, but got '
                             f'{self.names}.')
