"""UDA heads: one published alignment method a file."""
from .cdan_head import CDANHead
from .dann_head import DANNHead
from .domain_output import DomainOutput
from .uda_head import UDAHead

__all__ = ['CDANHead', 'DANNHead', 'DomainOutput', 'UDAHead']
