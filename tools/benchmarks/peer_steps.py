"""Training steps of others, to compare ours with.

They are as their users write them, on the same model and batch.
"""
from __future__ import annotations

import random
import sys
import types
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple

# Before anything of OpenMMLab: it may repair an import of theirs.
import mmgh  # noqa: F401

# isort: split
import torch
from torch import Tensor, nn

from mmgh.harmonizers import GHPlusPlus
from mmgh.task_losses import take_apart


class SharedModule(NamedTuple):
    """A model, and the part of it that all tasks share."""

    model: nn.Module
    name: str

    @property
    def module(self) -> nn.Module:
        return self.model.get_submodule(self.name)

    @property
    def parameters(self) -> list[Tensor]:
        return [p for p in self.module.parameters() if p.requires_grad]


def task_losses(model: nn.Module, batch: dict) -> list[Tensor]:
    """Losses of the tasks, as the model orders them."""
    inputs = model.data_preprocessor(batch, True)
    total, _ = model.parse_losses(model(**inputs, mode='loss'))
    return list(take_apart(total).by_task.values())


class PeerStep(ABC):
    """A step, whose backward passes a subclass runs.

    Args:
        shared (SharedModule): What is trained.
        optimizer (torch.optim.Optimizer): Of all of it.
        autocast (AbstractContextManager): For the forward pass.
    """

    def __init__(self, shared: SharedModule, optimizer: torch.optim.Optimizer,
                 autocast: AbstractContextManager) -> None:
        self.shared = shared
        self.optimizer = optimizer
        self.autocast = autocast

    def __call__(self, batch: dict) -> None:
        with self.autocast:
            losses = task_losses(self.shared.model, batch)
        self.backward(losses)
        self.optimizer.step()
        self.optimizer.zero_grad()

    @abstractmethod
    def backward(self, losses: list[Tensor]) -> None:
        """Leave a gradient in the ``grad`` fields."""


class PassesStep(PeerStep):
    """A backward pass per task and nothing else: the least that it takes to
    have the gradients of all tasks."""

    def backward(self, losses: list[Tensor]) -> None:
        for loss in losses:
            loss.backward(retain_graph=loss is not losses[-1])


class PublishedStep(PeerStep):
    """The scheme of the published GH code: two backward passes to probe the
    gradients, and a third one on the weighted loss."""

    harmonizer = GHPlusPlus()

    def backward(self, losses: list[Tensor]) -> None:
        weights = self.harmonizer(self._gramian(losses))
        (weights[0] * losses[0] + weights[1] * losses[1]).backward()

    def _gramian(self, losses: list[Tensor]) -> Tensor:
        gradients = [
            torch.autograd.grad(
                loss, self.shared.parameters, retain_graph=True)
            for loss in losses
        ]
        return torch.stack([
            sum(torch.dot(x.flatten(), y.flatten()) for x, y in zip(a, b))
            for a in gradients for b in gradients
        ]).view(2, 2)


class TorchJDStep(PeerStep):
    """TorchJD's Jacobian descent with UPGrad, from the features on."""

    def __init__(self, *args) -> None:
        from torchjd import aggregation, autojac
        super().__init__(*args)
        self.autojac = autojac
        self.aggregator = aggregation.UPGrad()
        self._features: list[Tensor] = []  # one for each run of the backbone

    def __call__(self, batch: dict) -> None:
        self._features.clear()
        with self.shared.module.register_forward_hook(
                lambda module, inputs, outputs: self._features.extend(outputs)
        ):
            super().__call__(batch)

    def backward(self, losses: list[Tensor]) -> None:
        parameters = self.shared.parameters
        self.autojac.mtl_backward(
            losses, features=self._features, shared_params=parameters)
        self.autojac.jac_to_grad(parameters, self.aggregator)


class LibMTLStep(PeerStep):
    """PCGrad of LibMTL on the shared parameters, as its trainer calls it."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        _let_libmtl_import()
        from LibMTL.weighting import PCGrad
        parameters = self.shared.parameters
        self.method = PCGrad()
        self.method.rep_grad = False
        self.method.device = parameters[0].device
        self.method.get_share_params = lambda: parameters
        self.method.zero_grad_share_params = lambda: [
            p.grad.zero_() for p in parameters if p.grad is not None
        ]

    def backward(self, losses: list[Tensor]) -> None:
        self.method.task_num = len(losses)
        self.method.backward(losses)


def _let_libmtl_import() -> None:
    """It looks for a function where torchvision had it before 0.13."""
    name = 'torchvision.models.utils'
    with suppress(ImportError):
        __import__(name)
        return
    module = types.ModuleType(name)
    module.load_state_dict_from_url = torch.hub.load_state_dict_from_url
    sys.modules[name] = module


class PCGradStep(PeerStep):
    """PCGrad as it is usually written: each gradient as one long vector, with
    zeros where a task does not reach, and a question for each pair."""

    def backward(self, losses: list[Tensor]) -> None:
        parameters = [
            p for group in self.optimizer.param_groups for p in group['params']
        ]
        vectors = [
            self._vector(loss, parameters, retain_graph=loss is not losses[-1])
            for loss in losses
        ]
        total = torch.stack(
            [self._projected(vector, vectors) for vector in vectors]).sum(0)
        parts = total.split([p.numel() for p in parameters])
        for parameter, part in zip(parameters, parts):
            parameter.grad = part.view_as(parameter).clone()

    def _vector(self, loss: Tensor, parameters: list[Tensor],
                retain_graph: bool) -> Tensor:
        self.optimizer.zero_grad()
        loss.backward(retain_graph=retain_graph)
        return torch.cat([
            torch.zeros_like(p).flatten()
            if p.grad is None else p.grad.clone().flatten() for p in parameters
        ])

    @staticmethod
    def _projected(vector: Tensor, others: list[Tensor]) -> Tensor:
        vector = vector.clone()
        for other in random.sample(others, len(others)):
            product = torch.dot(vector, other)
            if product < 0:
                vector -= product / other.norm()**2 * other
        return vector


PEERS = dict(
    passes=PassesStep,
    published=PublishedStep,
    torchjd=TorchJDStep,
    libmtl=LibMTLStep,
    pcgrad=PCGradStep)
REQUIRED = dict(torchjd='torchjd', libmtl='LibMTL')
