"""Typst, with our own fonts and nobody else's: the same input gives the same bytes on every machine.

It knows no document: a service brings its own source and what goes into it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst

FONTS = Path(__file__).parent / "fonts"
PICTURE_PPI = 220.0  # sharp on paper at the width of a page, about 60 kB


def render_pdf(source: Path, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return the PDF of *source*; *inputs* reach it as JSON texts."""
    return _compile(source, inputs, output_format="pdf", dated=dated)


def render_png(source: Path, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return the one page of *source* as a PNG picture."""
    return _compile(source, inputs, output_format="png", dated=dated)


def _compile(
    source: Path, inputs: Mapping[str, Any], *, output_format: Literal["pdf", "png"], dated: datetime
) -> bytes:
    compiler = typst.Compiler(
        str(source),
        root=str(source.parent),
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]),
        sys_inputs={name: json.dumps(value, ensure_ascii=False) for name, value in inputs.items()},
    )
    made = compiler.compile(format=output_format, ppi=PICTURE_PPI, timestamp=int(dated.timestamp()))
    return made if isinstance(made, bytes) else _only_page(made)


def _only_page(made: list[bytes] | None) -> bytes:
    if made is None or len(made) != 1:
        raise ValueError("the picture does not fit on one page")
    return made[0]
