"""Opens ZIP archives that others made, at a bounded cost. Used for attachments and for filled sheets.

An archive of 32 MB can list 680,000 empty entries, for each of which the library builds an object: 250 MB of memory
and half a minute. What the end record says of size and count may be a lie. The library reads the directory at once, so
the archive is opened through a stream that gives no larger piece than a directory may have.
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

DIRECTORY_BYTES_MAX = 1024 * 1024
"""Bytes of the directory: it has 46 and the name for each entry."""

ENTRIES_MAX = 5_000
"""Entries of an archive. A report with hundreds of pictures has a thousand."""

UNPACKED_BYTES_MAX = 512 * 1024 * 1024
"""Bytes of all entries, as the directory says; the library unpacks no more of any entry than that."""


class UnreadableArchive(ValueError):  # noqa: N818 - it reads as a claim about the file
    """The file is no ZIP archive, is damaged, or is encrypted."""


class OversizedArchive(ValueError):  # noqa: N818 - as `UnreadableArchive`
    """The archive has too many entries, too large a directory, or would unpack to too much."""


@contextmanager
def open_archive(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Yield the archive in *stream*; raise `UnreadableArchive` or `OversizedArchive`, also for what is read of it."""
    pieces = _BoundedPieces(stream)
    try:
        with zipfile.ZipFile(pieces) as archive:
            _check_entries(archive.infolist())
            pieces.is_open = True
            yield archive
    except (UnreadableArchive, OversizedArchive):
        raise
    # What the library raises: for a password or an unknown method RuntimeError, for data that ends EOFError, for
    # offsets and texts that lie ValueError and OverflowError, and the errors of the codecs.
    except (
        zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError, OverflowError,
        struct.error, zlib.error, lzma.LZMAError,
    ) as cause:  # fmt: skip
        raise UnreadableArchive from cause


def _check_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > ENTRIES_MAX or sum(one.file_size for one in entries) > UNPACKED_BYTES_MAX:
        raise OversizedArchive
    # Of two entries with one name some programs take the first and some the last.
    if len({one.filename.casefold() for one in entries}) < len(entries):
        raise UnreadableArchive


class _BoundedPieces:
    """A stream that refuses to give more than a directory may have in one piece, until the archive is open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.is_open = False

    def read(self, size: int = -1) -> bytes:
        if self.is_open:
            return self._stream.read(size)
        if not 0 <= size <= DIRECTORY_BYTES_MAX:
            size = DIRECTORY_BYTES_MAX + 1
        piece = self._stream.read(size)
        if len(piece) > DIRECTORY_BYTES_MAX:
            raise OversizedArchive
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


def read_entry(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return the first *limit* bytes of the entry; nothing if there is none."""
    if name not in archive.NameToInfo:
        return b""
    with archive.open(name) as entry:
        return entry.read(limit)
