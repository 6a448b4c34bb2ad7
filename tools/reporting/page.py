"""Sections, and the page that they become."""
from __future__ import annotations

import base64
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Sequence

import jinja2
from matplotlib.figure import Figure

from mmgh.analysis.plots import names_as_they_are

TEMPLATE = Path(__file__).with_name('page.html.jinja')


@dataclass
class Table:
    """Cells of text; those after the first column are mostly numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass
class Picture:
    """A PNG within the page."""

    png: bytes
    caption: str

    @property
    def uri(self) -> str:
        return 'data:image/png;base64,' + base64.b64encode(self.png).decode()


@dataclass
class Section:
    """What there is to see under one heading."""

    title: str
    text: str = ''
    table: Table | None = None
    pictures: list[Picture] = field(default_factory=list)
    listings: dict[str, str] = field(default_factory=dict)
    """Long texts by their names, folded away."""
    notes: Sequence[str] = ()
    """Sentences, each by itself, before the table."""
    commands: str = ''
    """Lines for a shell."""


@names_as_they_are()
def picture_of(figure: Figure, caption: str) -> Picture:
    """Draw a figure of matplotlib."""
    buffer = BytesIO()
    figure.savefig(buffer, format='png', dpi=110)
    return Picture(buffer.getvalue(), caption)


def write_page(path: Path, title: str, sections: Sequence[Section]) -> None:
    """Write one HTML file that needs no other one."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding='utf-8'))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        template.render(title=title, sections=sections), encoding='utf-8')
