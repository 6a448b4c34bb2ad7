"""UDA heads: one published alignment method a file."""
from .afn_head import AFNHead
from .bsp_head import BSPHead
from .cdan_head import CDANHead
from .dan_head import DANHead
from .dann_head import DANNHead
from .deep_coral_head import DeepCORALHead
from .domain_output import DomainOutput
from .dwl_head import DWLHead
from .gvb_head import GVBHead
from .jan_head import JANHead
from .mcc_head import MCCHead
from .mcd_head import MCDHead
from .mdd_head import MDDHead
from .uda_head import UDAHead

__all__ = [
    'AFNHead', 'BSPHead', 'CDANHead', 'DANHead', 'DANNHead', 'DWLHead',
    'DeepCORALHead', 'DomainOutput', 'GVBHead', 'JANHead', 'MCCHead',
    'MCDHead', 'MDDHead', 'UDAHead'
]
