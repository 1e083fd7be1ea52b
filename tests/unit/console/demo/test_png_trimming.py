"""A screenshot ends a little below its content."""

import struct
import zlib

import pytest

from services.console.demo import png_trimming

WIDTH = 5
BLANK, UP_OF_BLANK = b"\x00" + b"\xff" * 3 * WIDTH, b"\x02" + b"\x00" * 3 * WIDTH


def a_png(rows: list[bytes], *, colour: int = 2) -> bytes:
    """Build a picture of filtered rows."""
    head = struct.pack(">IIBBBBB", WIDTH, len(rows), 8, colour, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"tEXt", b"a\x00b"), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    return png_trimming.SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize(("empty", "kept"), [(500, png_trimming.MARGIN_ROWS), (10, 10), (0, 0)])
def test_of_the_empty_rows_at_the_end_a_margin_is_kept(empty: int, kept: int) -> None:
    """The rows above are the same bytes, and so are the other chunks; a short end is kept whole."""
    content = [BLANK, *(b"\x00" + bytes([number]) * 3 * WIDTH for number in range(20)), BLANK]
    assert png_trimming.trim_bottom(a_png([*content, *[UP_OF_BLANK] * empty])) == a_png(
        [*content, *[UP_OF_BLANK] * kept]
    )


def test_a_picture_of_another_kind_is_left_alone() -> None:
    """With a palette a row has another length."""
    png = a_png([BLANK] * 500, colour=3)
    assert png_trimming.trim_bottom(png) == png
