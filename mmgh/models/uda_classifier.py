from __future__ import annotations

from typing import Any, Mapping

import torch
from mmengine.utils import apply_to
from mmpretrain.models import ImageClassifier, LinearClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmgh.arguments import COUNT, FLAG, list_of, number, one_of
from mmgh.classifier_outputs import check_size, features_of, scores_of
from mmgh.input_error import InputError, InputTypeError
from mmgh.registry import MODELS
from .domain_pair_preprocessor import DomainPairDataPreprocessor
from .source_labels import check_labels_of_heads, labels_of
from .tasks_of_heads import TasksOfHeads
from .uda_heads import DomainOutput, UDAHead


@MODELS.register_module()
class UDAClassifier(TasksOfHeads, ImageClassifier):
    """An mmpretrain classifier that adapts to an unlabelled target domain.

    It is the ``ImageClassifier`` of the same config plus a UDA head. Backbone,
    neck and head keep their names, so that pretrained checkpoints load, and
    so that a trained checkpoint loads back into a plain ``ImageClassifier``.
    It predicts like one.

    In training the classification head's losses on the source are the task
    ``cls`` and the UDA head's losses the task ``alignment`` (or what the head
    says in its ``tasks``). The head also says which tasks are harmonized with
    each other. The features that are aligned are what ``head.pre_logits``
    returns.

    Args:
        uda_head (dict | nn.Module): Config of a UDA head. ``in_channels`` and
            ``num_classes`` default to those of the classification head.
        domain_forward (str): ``'separate'`` runs the network once per domain,
            as the published GH code, ``'joint'`` once on both, as TLlib: then
            batch normalisation in backbone and neck sees a mixed batch. The
            head runs once per domain either way. Defaults to
            ``'separate'``.
        predict_features (bool): Whether predictions also have the
            ``features`` ``(D, )``, for metrics that need them. Defaults to
            False.
        *args, **kwargs: Arguments of
            :class:`mmpretrain.models.ImageClassifier`.

    Example:
        >>> _base_ = 'mmpretrain::resnet/resnet50_8xb32_in1k.py'
        >>> model = dict(
        ...     type='mmgh.UDAClassifier', uda_head=dict(type='mmgh.CDANHead'))
    """

    def __init__(self,
                 *args,
                 uda_head: dict | nn.Module,
                 data_preprocessor: dict | nn.Module | None = None,
                 domain_forward: str = 'separate',
                 predict_features: bool = False,
                 **kwargs) -> None:
        one_of('separate', 'joint').check(domain_forward=domain_forward)
        FLAG.check(predict_features=predict_features)
        _refuse_whole_classifiers(kwargs)
        _check_sizes(kwargs.get('head'))
        if isinstance(data_preprocessor, dict):
            # The parent writes its defaults into what it is given.
            data_preprocessor = dict(data_preprocessor)
        super().__init__(
            *args, data_preprocessor=data_preprocessor, **kwargs)
        if self.head is None:
            raise InputError('`head` should classify the source, but got '
                             'None.')
        if isinstance(uda_head, dict):
            if not {'in_channels', 'num_classes'} <= set(uda_head):
                uda_head = {**self._head_dimensions(), **uda_head}
            uda_head = MODELS.build(uda_head)
        if not isinstance(uda_head, UDAHead):
            raise InputTypeError(
                "`uda_head` should be a config such as dict(type="
                "'mmgh.DANNHead') of a subclass of `mmgh.models.UDAHead`, but "
                f'got {uda_head!r}.')
        uda_head.check_tasks()
        check_labels_of_heads(uda_head, self.head)
        _check_topk(self.head, uda_head.num_classes)
        self.uda_head = uda_head
        self.data_preprocessor = DomainPairDataPreprocessor(
            self.data_preprocessor, uda_head.num_classes)
        self.domain_forward = domain_forward
        self.predict_features = predict_features
        # Names, as the classification head returned them last.
        self._cls_losses: tuple[str, ...] = ('loss_cls', )

    def loss(self, inputs: dict[str, Tensor],
             data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Compute the losses of one training iteration.

        Args:
            inputs (dict[str, Tensor]): Images of ``source`` and ``target``,
                shape ``(N, C, H, W)`` each.
            data_samples (list[DataSample]): Labels of the source images.

        Returns:
            dict[str, Tensor]: What both heads return. The loss that
            mmpretrain's heads name ``loss`` is ``loss_cls`` here.
        """
        return self.losses_at(
            self._extract_pair(inputs), self._losses_of_heads, data_samples)

    def _losses_of_heads(self, feats: tuple,
                         data_samples: list[DataSample]) -> dict[str, Tensor]:
        source_feats, target_feats = feats
        labels = labels_of(data_samples, self.head,
                           self.uda_head.num_classes)
        losses = self._losses_of_cls_head(source_feats, data_samples)
        uda_losses = self.uda_head.loss(
            self._domain_output(source_feats, labels),
            self._domain_output(target_feats))
        return self.joined(losses, uda_losses)

    def _losses_of_cls_head(
            self, feats: tuple,
            data_samples: list[DataSample]) -> dict[str, Tensor]:
        kind = type(self.head)
        if (kind.pre_logits is LinearClsHead.pre_logits
                and kind.forward is LinearClsHead.forward):
            check_size('in_channels', self.head, self.head.pre_logits(feats))
        losses = {
            'loss_cls' if name == 'loss' else name: value
            for name, value in self.head.loss(feats, data_samples).items()
        }
        self._cls_losses = tuple(losses)
        return losses

    def predict(self,
                inputs: Tensor,
                data_samples: list[DataSample] | None = None,
                **kwargs) -> list[DataSample]:
        """Predict as the parent, with ``features`` if wanted."""
        feats = self.extract_feat(inputs)
        predictions = self.head.predict(feats, data_samples, **kwargs)
        if self.predict_features:
            for sample, features in zip(predictions,
                                        features_of(self.head, feats)):
                sample.set_field(features, 'features')
        return predictions

    def _extract_pair(self, inputs: dict[str, Tensor]) -> tuple:
        """Return the neck's features of both domains."""
        source, target = inputs['source'], inputs['target']
        if self.domain_forward == 'separate':
            return self.extract_feat(source), self.extract_feat(target)
        if source.shape[1:] != target.shape[1:]:
            raise InputError(
                "`domain_forward='joint'` needs images of one size, but got "
                f'{tuple(source.shape[1:])} and {tuple(target.shape[1:])}.')
        feats = self.extract_feat(torch.cat([source, target]))
        size = len(source)
        return (apply_to(feats, torch.is_tensor, lambda feat: feat[:size]),
                apply_to(feats, torch.is_tensor, lambda feat: feat[size:]))

    def _domain_output(self,
                       feats: tuple,
                       labels: Tensor | None = None) -> DomainOutput:
        """Return what the UDA head sees.

        Where the classification head has dropout or batch norm, this is
        another run of it than that of its loss.
        """
        features = features_of(self.head, feats)
        logits = scores_of(self.head, feats)
        sizes = dict(in_channels=features, num_classes=logits)
        for name, tensor in sizes.items():
            wanted = getattr(self.uda_head, name)
            if tensor.shape[1] != wanted:
                raise InputError(
                    f'`uda_head.{name}` should be {tensor.shape[1]}, as '
                    f'{type(self.head).__name__} gives it, but got {wanted}.')
        return DomainOutput(features, logits, self.head, feats, labels)

    def _head_dimensions(self) -> dict[str, int]:
        """Find the sizes of the features and of the scores.

        The layers that score the classes say both. DeiT and Conformer have
        two of them, on two feature vectors, which are concatenated.
        """
        if isinstance(self.head, LinearClsHead):
            return dict(
                in_channels=self.head.in_channels,
                num_classes=self.head.num_classes)
        # A head without layers, such as VGG's, gets the scores from the
        # backbone: they are all we see.
        has_layers = any(True for _ in self.head.parameters())
        scorer = self.head if has_layers else self.backbone
        linears = [m for m in scorer.modules() if isinstance(m, nn.Linear)]
        if not linears:
            raise InputError(
                '`uda_head` should say its `in_channels` and `num_classes`, '
                f'since no linear layer of {type(scorer).__name__} does.')
        num_classes = linears[-1].out_features
        if not has_layers:
            return dict(in_channels=num_classes, num_classes=num_classes)
        in_channels = sum(m.in_features for m in linears
                          if m.out_features == num_classes)
        return dict(in_channels=in_channels, num_classes=num_classes)


def _refuse_whole_classifiers(arguments: Mapping[str, Any]) -> None:
    """Refuse the arguments of mmpretrain's ``TimmClassifier`` and
    ``HuggingFaceClassifier``, which have no features to align."""
    if 'model_name' in arguments:
        name = arguments['model_name']
        raise InputTypeError(
            "The model should have `backbone=dict(type='mmgh.TimmFeatures', "
            f'model_name={name!r})` and a `head` of mmpretrain, since '
            'features are aligned before the head, but got `model_name` '
            'itself, as `TimmClassifier` and `HuggingFaceClassifier` have it.')


def _check_sizes(head: object) -> None:
    """Refuse numbers that a head of mmpretrain hands on to torch."""
    if isinstance(head, dict):
        for name in ('in_channels', 'num_classes'):
            # Heads of several layers have a list.
            if isinstance(head.get(name), (float, str)):
                COUNT.check(**{f'head.{name}': head[name]})


def _check_topk(head: nn.Module, num_classes: int) -> None:
    """Refuse to look for the class among more of them than there are."""
    if getattr(head, 'cal_acc', False):
        count = number(
            at_least=1, at_most=num_classes, whole=True,
            since='the accuracy of training is of so many classes')
        list_of(count).check(**{'head.topk': head.topk})
