from __future__ import annotations

from mmengine.model import BaseDataPreprocessor
from torch import nn

from mmgh.registry import MODELS


@MODELS.register_module()
class DomainPairDataPreprocessor(BaseDataPreprocessor):
    """Preprocesses each domain of a training batch by itself.

    The batch of one domain has labels and that of the other has none, which
    mmpretrain's preprocessor cannot take in one batch. In validation and test
    the batch is an ordinary one, or one of both domains, of which only some
    images have labels.

    ``UDAClassifier`` puts it around the preprocessor of its config.

    Args:
        preprocessor (dict | nn.Module): What preprocesses one domain, such as
            ``dict(type='ClsDataPreprocessor', ...)``.

    Example:
        >>> data_preprocessor = dict(
        ...     type='mmgh.DomainPairDataPreprocessor',
        ...     preprocessor=dict(
        ...         type='ClsDataPreprocessor',
        ...         mean=[127.5] * 3,
        ...         std=[127.5] * 3))
    """

    def __init__(self, preprocessor: dict | nn.Module) -> None:
        super().__init__()
        if isinstance(preprocessor, dict):
            preprocessor = MODELS.build(preprocessor)
        if not isinstance(preprocessor, nn.Module):
            raise TypeError('`preprocessor` should be a config such as '
                            "dict(type='ClsDataPreprocessor'), but got "
                            f'{preprocessor!r}.')
        self.preprocessor = preprocessor

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess a batch.

        Args:
            data (dict): In training ``dict(source=..., target=...)`` of
                batches, else one batch.
            training (bool): Whether the batch is for training.

        Returns:
            dict: ``inputs``, in training ``dict(source=..., target=...)`` of
            tensors ``(N, C, H, W)``, and ``data_samples``, in training those
            of the source.
        """
        if not training:
            return self._forward_test(data)
        if not isinstance(data, dict) or not {'source', 'target'} <= set(data):
            raise TypeError(
                'A UDA model should be trained on a domain pair, but got '
                f'{_describe(data)}. Set `train_dataloader.dataset.'
                "type` to 'mmgh.DomainPairDataset' and `train_dataloader."
                "sampler.type` to 'mmgh.DomainPairSampler'.")
        source = self.preprocessor(data['source'], training)
        target = self.preprocessor(data['target'], training)
        return dict(
            inputs=dict(source=source['inputs'], target=target['inputs']),
            data_samples=source['data_samples'])

    def _forward_test(self, data: dict) -> dict:
        samples = data.get('data_samples') or []
        labelled = [s for s in samples if 'gt_label' in s or 'gt_score' in s]
        if len(labelled) in (0, len(samples)):
            return self.preprocessor(data, False)
        # What it does to labels, it does in place.
        result = self.preprocessor({**data, 'data_samples': labelled}, False)
        return {**result, 'data_samples': samples}


def _describe(data) -> str:
    if isinstance(data, dict):
        return f'a batch with the keys {sorted(data)}'
    return f'a {type(data).__name__}'
