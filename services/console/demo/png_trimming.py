"""Cuts the empty bottom off a screenshot: a headless browser takes pictures of a fixed height.

Rows of a PNG are stored one after the other, each in terms of the row above it (PNG 1.2, section 6). So rows can be
left out at the end without decoding the others.
"""

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MARGIN_ROWS = 40
_DEPTH = 8  # bits a channel, as browsers write
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type; a palette (3) is not expected of a browser


def trim_bottom(png: bytes) -> bytes:
    """Return the picture without the equal rows at its end but for a margin; as it is where it is of another kind."""
    chunks = list(_split_chunks(png))
    width, height, depth, colour, *_, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != _DEPTH or colour not in _CHANNELS or interlace:
        return png
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    stride = 1 + width * _CHANNELS[colour]
    rows = [pixels[start : start + stride] for start in range(0, len(pixels), stride)]
    filled = next((number for number in range(height, 0, -1) if rows[number - 1] != rows[-1]), height)
    kept = min(height, filled + MARGIN_ROWS)
    head = struct.pack(">II", width, kept) + chunks[0][1][8:]
    body = zlib.compress(b"".join(rows[:kept]))
    others = [one for one in chunks[1:] if one[0] not in {b"IDAT", b"IEND"}]
    written = [(b"IHDR", head), *others, (b"IDAT", body), (b"IEND", b"")]
    return SIGNATURE + b"".join(_join_chunk(kind, data) for kind, data in written)


def _split_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += length + 12  # length, kind and checksum take four bytes each


def _join_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
