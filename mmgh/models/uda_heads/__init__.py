"""UDA heads: one published alignment method a file."""
from mmgh.rooms import import_new_files
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

# For editors and type checkers the names above are spelled out. A new file
# needs none: it is found by itself.
import_new_files(__name__)
