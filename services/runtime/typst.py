"""Render documents with Typst and only the fonts in `fonts`, so that the same input gives the same bytes everywhere.

It knows no document: a service passes its own Typst source and the values for it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst

from services.runtime import pdf_packing

FONTS = Path(__file__).parent / "fonts"
PICTURE_PPI = 220.0  # sharp in print at the width of a page, about 60 kB
PDF_STANDARD: Literal["ua-1"] = "ua-1"  # ISO 14289-1: a screen reader follows headings, tables and pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePosition:
    """Where a mark stands: its page, from 1 on, and its distance from the left and the top of it in points."""

    page: int
    left_pt: float
    top_pt: float


def render_pdf(source: Path, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return *source* as a tagged PDF dated *dated*; it receives each of *inputs* as JSON text."""
    return _compile_pdf(_load(source, inputs), dated)


def render_marked_pdf(
    source: Path, inputs: Mapping[str, Any], *, dated: datetime, mark: str
) -> tuple[bytes, PagePosition]:
    """Return what `render_pdf` does, and where the metadata with the label *mark* stands.

    The metadata holds its own position, as `here().position()` gives it.
    """
    compiler = _load(source, inputs)
    body = _compile_pdf(compiler, dated)
    # The compiler keeps what it has laid out, so this costs no second layout.
    position = json.loads(compiler.query(f"<{mark}>", field="value", one=True))
    return body, PagePosition(
        page=position["page"], left_pt=_read_points(position["x"]), top_pt=_read_points(position["y"])
    )


def render_png(source: Path, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return the single page of *source* as a PNG; raise `ValueError` if it has more pages."""
    pages = _load(source, inputs).compile(format="png", ppi=PICTURE_PPI, timestamp=int(dated.timestamp()))
    return pages if isinstance(pages, bytes) else _only_page(pages)


def _load(source: Path, inputs: Mapping[str, Any]) -> typst.Compiler:
    return typst.Compiler(
        str(source),
        root=str(source.parent),
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]),
        sys_inputs={name: json.dumps(value, ensure_ascii=False) for name, value in inputs.items()},
    )


def _compile_pdf(compiler: typst.Compiler, dated: datetime) -> bytes:
    body = compiler.compile(format="pdf", pdf_standards=PDF_STANDARD, timestamp=int(dated.timestamp()))
    return pdf_packing.pack_objects(body if isinstance(body, bytes) else _only_page(body))


def _read_points(length: str) -> float:
    return float(length.removesuffix("pt"))


def _only_page(pages: list[bytes] | None) -> bytes:
    if pages is None or len(pages) != 1:
        raise ValueError("the picture does not fit on one page")
    return pages[0]
