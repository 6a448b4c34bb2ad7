from __future__ import annotations

from mmgh.arguments import COUNT
from mmgh.models.uda_heads import UDAHead


class SegUDAHead(UDAHead):
    """Base of the UDA heads of a segmentor, which see maps.

    A subclass is as one of :class:`UDAHead`. What :meth:`losses` gets has in
    ``logits`` the scores of the main decode head, of the size of the image,
    shape ``(N, C, H, W)``, and in ``features`` what enters that head: nested
    tuples of tensors. There are no ``labels``.

    Args:
        num_classes (int): Number of channels of a map. ``UDASegmentor`` fills
            it in from its decode head.
        loss_weight (float): Factor of the alignment loss. Defaults to 1.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(self,
                 num_classes: int,
                 loss_weight: float = 1.,
                 init_cfg: dict | None = None) -> None:
        COUNT.check(num_classes=num_classes)
        # Of each pixel it sees the scores of the classes.
        super().__init__(num_classes, num_classes, loss_weight, init_cfg)
