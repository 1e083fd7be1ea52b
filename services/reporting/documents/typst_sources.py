"""The annual report's Typst sources, which lie beside this file, typeset in the one way of all services."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from services.runtime import typst

HERE = Path(__file__).parent


def typeset(source: str, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return the PDF of *source*, a file beside this one; *inputs* reach it as JSON texts."""
    return typst.render_pdf(HERE / source, inputs, dated=dated)


def draw(source: str, inputs: Mapping[str, Any], *, dated: datetime) -> bytes:
    """Return the one page of *source* as a PNG picture."""
    return typst.render_png(HERE / source, inputs, dated=dated)
