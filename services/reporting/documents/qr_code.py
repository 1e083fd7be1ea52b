"""The QR code that opens the verification page of a sealed report."""

import io

import segno

ERROR_CORRECTION = "m"  # a stamp or a fold over a seventh of the code does no harm
PIXELS_PER_MODULE = 8


def draw_svg(address: str) -> str:
    """Return the code of *address* as SVG."""
    buffer = io.BytesIO()
    _encode(address).save(buffer, kind="svg", border=0, xmldecl=False)
    return buffer.getvalue().decode()


def draw_png(address: str) -> bytes:
    """Return the code of *address* as a picture."""
    buffer = io.BytesIO()
    _encode(address).save(buffer, kind="png", scale=PIXELS_PER_MODULE, border=1)
    return buffer.getvalue()


def _encode(address: str) -> segno.QRCode:
    return segno.make_qr(address, error=ERROR_CORRECTION)
