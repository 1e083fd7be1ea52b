"""Render documents with Typst and only the fonts in `fonts`, so that the same input gives the same bytes everywhere.

It knows no document: a service passes its own Typst source and the values for it.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import typst
from fontTools.ttLib import TTFont

from schemas.text import normal_form
from services.runtime import pdf_packing

FONTS = Path(__file__).parent / "fonts"
PICTURE_PPI = 220.0  # sharp in print at the width of a page, about 60 kB
BOX = "\u25a1"  # for a character that the fonts have not, as a reader knows it from other programs
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
        sys_inputs={name: json.dumps(_make_drawable(value), ensure_ascii=False) for name, value in inputs.items()},
    )


def _make_drawable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return *value* with every text in it as the fonts can draw it: PDF/UA refuses a document with any other."""
    match value:
        case str():
            return value if value.isascii() and value.isprintable() else _draw_text(value)
        case Mapping():
            return {name: _make_drawable(one) for name, one in value.items()}
        case list() | tuple():
            return [_make_drawable(one) for one in value]
        case _:
            return value


def _draw_text(text: str) -> str:
    return _find_undrawable().sub(_replace_undrawable, normal_form.drop_unseen(text))


def _replace_undrawable(found: re.Match[str]) -> str:
    """Return another character that means the same, as a full-width letter has one, else a box."""
    plain = unicodedata.normalize("NFKC", str(found[0]))
    return plain if _find_undrawable().search(plain) is None else BOX


@lru_cache(maxsize=1)
def _find_undrawable() -> re.Pattern[str]:
    """Return the expression that finds a character which one of the fonts has not."""
    drawable = set.intersection(*map(_read_characters, FONTS.glob("*.ttf")))
    escaped = "".join(re.escape(chr(code)) for code in sorted(drawable))
    return re.compile(f"[^\\t\\n\\r{escaped}]")


def _read_characters(font: Path) -> set[int]:
    with TTFont(font) as opened:
        return set(opened.getBestCmap())


def _compile_pdf(compiler: typst.Compiler, dated: datetime) -> bytes:
    body = compiler.compile(format="pdf", pdf_standards=PDF_STANDARD, timestamp=int(dated.timestamp()))
    return pdf_packing.pack_objects(body if isinstance(body, bytes) else _only_page(body))


def _read_points(length: str) -> float:
    return float(length.removesuffix("pt"))


def _only_page(pages: list[bytes] | None) -> bytes:
    if pages is None or len(pages) != 1:
        raise ValueError("the picture does not fit on one page")
    return pages[0]
