"""Render documents with Typst and only the fonts in `fonts`, so that the same input gives the same bytes everywhere.

It knows no document: a service passes its own Typst source and the values for it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst

FONTS = Path(__file__).parent / "fonts"
PICTURE_PPI = 220.0  # sharp in print at the width of a page, about 60 kB


def render_pdf(source: Path, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return *source* as a PDF dated *dated*; it receives each of *inputs* as JSON text."""
    return _compile(source, inputs, output_format="pdf", dated=dated)


def render_png(source: Path, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return the single page of *source* as a PNG; raise `ValueError` if it has more pages."""
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
    output = compiler.compile(format=output_format, ppi=PICTURE_PPI, timestamp=int(dated.timestamp()))
    return output if isinstance(output, bytes) else _only_page(output)


def _only_page(pages: list[bytes] | None) -> bytes:
    if pages is None or len(pages) != 1:
        raise ValueError("the picture does not fit on one page")
    return pages[0]
