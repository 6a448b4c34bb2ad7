"""What a test of ONNX needs."""
from __future__ import annotations

import pytest

from mmgh.deployment import check_onnx_packages
from mmgh.input_error import InputError


def skip_without_onnx():
    """Skip a test where models cannot be written; else return ``onnx``."""
    try:
        check_onnx_packages()
    except InputError as error:
        pytest.skip(str(error))
    return pytest.importorskip('onnx')
