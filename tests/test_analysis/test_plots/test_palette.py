"""Looks that differ."""
from __future__ import annotations

from mmgh.analysis.plots.palette import CLASS_STYLES, class_style


def test_as_many_classes_as_promised_look_different():
    styles = {tuple(class_style(i).values()) for i in range(CLASS_STYLES)}
    assert len(styles) == CLASS_STYLES >= 65
