from __future__ import annotations

from mmengine.structures import BaseDataElement

from mmgh.models.domain_pair_preprocessor import DomainPairDataPreprocessor
from mmgh.registry import MODELS


@MODELS.register_module()
class SegDomainPairDataPreprocessor(DomainPairDataPreprocessor):
    """Preprocess each domain of a training batch of segmentation by itself.

    mmseg's preprocessor wants samples to pad a batch in training. Those of the
    target are empty ones.

    ``UDASegmentor`` puts it around the preprocessor of its config.

    Args:
        preprocessor (dict | nn.Module): What preprocesses one domain.
        num_classes (int, optional): See :class:`DomainPairDataPreprocessor`.
            Defaults to None.

    Example:
        >>> data_preprocessor = dict(
        ...     type='mmgh.SegDomainPairDataPreprocessor',
        ...     preprocessor=dict(type='mmengine.BaseDataPreprocessor'))
    """

    def preprocess_target(self, data: dict) -> dict:
        """Preprocess the images of the target for training."""
        samples = [BaseDataElement() for _ in data['inputs']]
        return self.preprocessor({**data, 'data_samples': samples}, True)
