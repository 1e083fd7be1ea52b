"""Detects the type of a file by its content, because a file's name and declared type prove nothing.

The list is closed: documents, spreadsheets and pictures of documents. Files with macros are not in it.
"""

import zipfile
from typing import BinaryIO

_HEAD_BYTES = 8
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}
_ZIP = b"PK\x03\x04"
_OOXML_PARTS = "[Content_Types].xml"
_OOXML = {
    b"wordprocessingml.document.main+xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"spreadsheetml.sheet.main+xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ODF_TYPE = "mimetype"
_ODF = frozenset({"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet"})

# Bytes read of the part that names the type: office programs write less, and a zip bomb would unpack to more.
_PART_BYTES_MAX = 256 * 1024


def media_type_of(stream: BinaryIO) -> str | None:
    """Return the media type of the file in a seekable *stream*, or None if its type is not on the list."""
    stream.seek(0)
    head = stream.read(_HEAD_BYTES)
    for signature, media_type in _SIGNATURES.items():
        if head.startswith(signature):
            return media_type
    return _media_type_of_archive(stream) if head.startswith(_ZIP) else None


def _media_type_of_archive(stream: BinaryIO) -> str | None:
    try:
        with zipfile.ZipFile(stream) as archive:
            declared = _read_part(archive, _ODF_TYPE).decode("ascii", "replace").strip()
            if declared in _ODF:
                return declared
            parts = _read_part(archive, _OOXML_PARTS)
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError):
        return None
    return next((media_type for mark, media_type in _OOXML.items() if mark in parts), None)


def _read_part(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b""
    with archive.open(name) as part:
        return part.read(_PART_BYTES_MAX)
