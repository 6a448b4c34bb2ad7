from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Sequence

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmgh.arguments import COUNT, list_of, one_of
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import MODELS
from mmgh.task_losses import Pairs, harmonizes
from .source_labels import labels_of
from .uda_classifier import UDAClassifier
from .uda_heads import MCDHead


@MODELS.register_module()
class AlternatingMCDClassifier(UDAClassifier):
    r"""MCD in its three alternating steps, with two optimizers.

    Backbone and neck are the generator :math:`G`; the classification head and
    the second classifier of :class:`MCDHead` are the classifiers :math:`F`.
    With ``tau`` the head's ``loss_weight``, each iteration does

    - A: G and F minimise the classification losses of both classifiers;
    - B: F minimises them minus ``tau`` times the discrepancy, for a fixed G;
    - C: G minimises ``tau`` times the discrepancy, for a fixed F, several
      times.

    Step C has both tasks where ``GHOptimWrapper`` is the wrapper of the
    generator: the harmonized gradient is the one that G steps with. The
    published GH code does otherwise, which is ``harmonized_step='B'`` here:
    it compares both tasks of step B on G and steps F with the weighted loss,
    so that what is harmonized never reaches G. Step A stays as it is.

    With ``domain_forward='separate'`` a step runs the network on the domains
    that it needs, as the code of MCD; with ``'joint'`` each step runs it on
    both, as TLlib. The head's gradient reversal is not used.

    It needs ``mmgh.MCDOptimWrapperConstructor``, and for several processes
    ``mmgh.OwnStepDistributedDataParallel``.

    Args:
        generator_steps (int): How often step C is done. Defaults to 4.
        generator_tasks (Sequence[str], optional): What G minimises in step C:
            ``'alignment'``, as published, or also ``'cls'``. The first is task
            1. Defaults to None: ``('alignment', )``, or
            ``('cls', 'alignment')`` where the generator's optim wrapper
            harmonizes.
        harmonized_step (str): ``'C'``: what harmonizes is the optim wrapper
            of the generator. ``'B'``, as in the published GH code: it is that
            of the classifiers, ``('cls', 'alignment')`` are compared on all of
            G, and F steps. Defaults to ``'C'``.
        *args, **kwargs: Arguments of :class:`UDAClassifier`.

    Source: Maximum Classifier Discrepancy for Unsupervised Domain Adaptation
    (CVPR 2018), section 3.3.

    Example:
        >>> model = dict(
        ...     type='mmgh.AlternatingMCDClassifier',
        ...     uda_head=dict(type='mmgh.MCDHead', loss_weight=10.))
        >>> optim_wrapper = dict(
        ...     constructor='mmgh.MCDOptimWrapperConstructor',
        ...     generator=dict(optimizer=dict(type='SGD', lr=1e-3)),
        ...     classifier=dict(
        ...         optimizer=dict(type='SGD', lr=1e-3, momentum=0.9)))
    """

    def __init__(self,
                 *args,
                 generator_steps: int = 4,
                 generator_tasks: Sequence[str] | None = None,
                 harmonized_step: str = 'C',
                 **kwargs) -> None:
        one_of('B', 'C').check(harmonized_step=harmonized_step)
        COUNT.check(generator_steps=generator_steps)
        list_of(one_of('alignment', 'cls')).or_none().check(
            generator_tasks=generator_tasks)
        if generator_tasks is not None and sorted(generator_tasks) not in (
            ['alignment'], ['alignment', 'cls']):
            raise InputError("`generator_tasks` should be ('alignment', ) or "
                             "also have 'cls', but got "
                             f'{generator_tasks!r}.')
        super().__init__(*args, **kwargs)
        if not isinstance(self.uda_head, MCDHead):
            raise InputTypeError("`uda_head` should be a 'mmgh.MCDHead', but "
                                 f'got {type(self.uda_head).__name__}.')
        self.generator_steps = generator_steps
        self.harmonized_step = harmonized_step
        self.generator_tasks = tuple(generator_tasks or ('alignment', ))
        self._follows_wrapper = generator_tasks is None

    @property
    def pairs(self) -> Pairs:
        """Which tasks of step C are harmonized with each other."""
        both = len(self.generator_tasks) == 2
        return (self.generator_tasks, ) if both else super().pairs

    @property
    def updates_per_iteration(self) -> dict[str, int]:
        """Backward passes of each optim wrapper."""
        if self.harmonized_step == 'B':
            return dict(generator=self.generator_steps + 1, classifier=1)
        return dict(generator=self.generator_steps, classifier=2)

    def train_step(self,
                   data: dict,
                   optim_wrapper: OptimWrapperDict,
                   run: nn.Module | None = None) -> dict[str, Tensor]:
        """Steps A, B and C on one batch.

        Args:
            data (dict): A batch of domain pairs.
            optim_wrapper (OptimWrapperDict): ``generator`` and
                ``classifier``.
            run (nn.Module, optional): The wrapper of this model for several
                processes. Defaults to None: the model itself.

        Returns:
            dict[str, Tensor]: Losses of step A, and the total losses of step
            B, ``loss_classifiers``, and of the last step C,
            ``loss_generator``.
        """
        if not isinstance(optim_wrapper, OptimWrapperDict):
            raise InputTypeError(
                '`optim_wrapper` should have a wrapper for the generator and '
                'one for the classifiers, set `constructor` to '
                "'mmgh.MCDOptimWrapperConstructor', but got "
                f'{type(optim_wrapper).__name__}.')
        run = self if run is None else run
        generator = optim_wrapper['generator']
        classifier = optim_wrapper['classifier']
        self._check_harmonized_step(generator, classifier)
        self._choose_generator_tasks(generator)
        data = self.data_preprocessor(data, True)

        # There is one task: what harmonizes does not do this pass.
        plain = generator if self.harmonized_step == 'B' else classifier
        total, log_vars = self._total_loss(run, data, 'loss_of_all', plain)
        plain.backward(total)
        generator.step()
        classifier.step()
        optim_wrapper.zero_grad()

        total, _ = self._total_loss(run, data, 'loss_of_classifiers',
                                    classifier)
        log_vars['loss_classifiers'] = total.detach()
        classifier.update_params(total)
        generator.zero_grad()

        with _frozen(self.head, self.uda_head):
            for _ in range(self.generator_steps):
                total, _ = self._total_loss(run, data, 'loss_of_generator',
                                            generator)
                generator.update_params(total)
        log_vars['loss_generator'] = total.detach()
        return log_vars

    def _check_harmonized_step(self, generator: OptimWrapper,
                               classifier: OptimWrapper) -> None:
        """Refuse what harmonizes at another step than it should."""
        other = generator if self.harmonized_step == 'B' else classifier
        if harmonizes(other):
            part = 'generator' if other is generator else 'classifier'
            raise InputError(
                "`harmonized_step` should be 'B' where the optim wrapper of "
                "the classifiers harmonizes, and 'C' where that of the "
                f'generator does, but got {self.harmonized_step!r} and one '
                f'that harmonizes in `{part}`.')

    def _choose_generator_tasks(self, generator: OptimWrapper) -> None:
        """Give step C both tasks if its wrapper harmonizes."""
        if len(self.generator_tasks) == 2 or not harmonizes(generator):
            return
        if not self._follows_wrapper:
            raise InputError(
                "`generator_tasks` should also have 'cls' where the "
                "generator's optim wrapper harmonizes, but got "
                f'{self.generator_tasks!r}.')
        self.generator_tasks = self.uda_head.pairs[0]

    def _total_loss(self, run: nn.Module, data: dict, mode: str,
                    wrapper: OptimWrapper) -> tuple[Tensor, dict]:
        with wrapper.optim_context(run):
            losses = run(**data, mode=mode)
        return self.parse_losses(losses)

    def forward(self,
                inputs: dict[str, Tensor] | Tensor,
                data_samples: list[DataSample] | None = None,
                mode: str = 'tensor'):
        """Do as the parent, and compute the losses of each step.

        Args:
            inputs (dict[str, Tensor] | Tensor): Images, of both domains in
                training.
            data_samples (list[DataSample], optional): Labels of the source.
            mode (str): ``'loss_of_all'``, ``'loss_of_classifiers'`` or
                ``'loss_of_generator'`` for step A, B or C; or a mode of the
                parent.
        """
        if mode == 'loss_of_all':
            return self._classification_losses(
                self._features(inputs, self._domains_of_classification),
                data_samples)
        if mode == 'loss_of_classifiers':
            with torch.set_grad_enabled(self.harmonized_step == 'B'):
                feats = self._features(inputs, ('source', 'target'))
            losses = self._classification_losses(feats, data_samples)
            return dict(losses, loss_discrepancy=-self._discrepancy(feats))
        if mode == 'loss_of_generator':
            domains = {'target'}
            if 'cls' in self.generator_tasks:
                domains.update(self._domains_of_classification)
            return self.losses_at(
                self._features(inputs, domains), self._generator_losses,
                data_samples)
        return super().forward(inputs, data_samples, mode)

    @property
    def _domains_of_classification(self) -> tuple[str, ...]:
        if self.uda_head.balance_weight:
            return 'source', 'target'
        return ('source', )

    def _features(self, inputs: dict[str, Tensor],
                  domains: Sequence[str]) -> tuple:
        """Return the neck's features of both domains; None if not needed."""
        if self.domain_forward == 'joint':
            return self._extract_pair(inputs)
        return tuple(
            self.extract_feat(inputs[domain]) if domain in domains else None
            for domain in ('source', 'target'))

    def _classification_losses(
            self, feats: tuple,
            data_samples: list[DataSample]) -> dict[str, Tensor]:
        source_feats, target_feats = feats
        labels = labels_of(data_samples, self.head, self.uda_head.num_classes)
        source = self._domain_output(source_feats, labels)
        target = (None if target_feats is None else
                  self._domain_output(target_feats))
        return {
            **self._losses_of_cls_head(source_feats, data_samples),
            **self.uda_head.classification_losses(source, target)
        }

    def _discrepancy(self, feats: tuple) -> Tensor:
        target = self._domain_output(feats[1])
        return self.uda_head.discrepancy(target.logits,
                                         self.uda_head.classify(target))

    def _generator_losses(self, feats: tuple,
                          data_samples: list[DataSample]) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for task in self.generator_tasks:
            losses.update(
                self._classification_losses(feats, data_samples) if task ==
                'cls' else dict(loss_discrepancy=self._discrepancy(feats)))
        return losses


@contextmanager
def _frozen(*modules: nn.Module) -> Iterator[None]:
    """Their parameters get no gradient inside."""
    parameters = [
        parameter for module in modules for parameter in module.parameters()
        if parameter.requires_grad
    ]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
