"""Classification heads of published UDA methods that mmpretrain lacks."""
from .bridge_cls_head import BridgeClsHead

__all__ = ['BridgeClsHead']
