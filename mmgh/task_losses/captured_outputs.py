from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Mapping

from torch import nn

from mmgh.input_error import InputError


@contextmanager
def captured_outputs(model: nn.Module, name: str) -> Iterator[list]:
    """Collect what a module returns, each time that it runs.

    Args:
        model (nn.Module): The whole.
        name (str): Of one of its modules.

    Yields:
        list: Outputs: tensors, or nested lists and tuples of them, in the
        order of the calls.

    Raises:
        InputError: If the module did not run.
    """
    outputs: list = []
    # For this while only: a hook that stays would be copied with the model.
    handle = model.get_submodule(name).register_forward_hook(
        lambda module, args, output: outputs.append(_without_names(output)))
    try:
        yield outputs
    finally:
        handle.remove()
    if not outputs:
        raise InputError(
            f'`features` should name a module that computes the losses, but '
            f'{name!r} is not called for them: what calls one of its methods, '
            'or one of its parts, passes it by.')


def _without_names(output: Any) -> Any:
    if isinstance(output, Mapping):
        return [_without_names(value) for value in output.values()]
    if isinstance(output, (list, tuple)):
        return [_without_names(value) for value in output]
    return output
