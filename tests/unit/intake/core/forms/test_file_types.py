"""The type of a file by its content alone."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.forms import file_types
from tests.support.clients.form import PDF, an_office_file

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def an_archive(**parts: bytes) -> bytes:
    """Build a zip archive of *parts*."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content,media_type",
    [
        (PDF, "application/pdf"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (an_office_file("/word/document.xml", f"{WORD}.main+xml"), WORD),
        (an_office_file("/xl/workbook.xml", f"{EXCEL}.main+xml"), EXCEL),
        (an_archive(mimetype=b"application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"),
    ],
)
def test_a_known_type_is_detected_by_content(content: bytes, media_type: str) -> None:
    """The first bytes, or the declaration inside an archive, determine the type of a file."""
    assert file_types.media_type_of(io.BytesIO(content)) == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00",
        b"<html>%PDF-</html>",
        PDF[1:],
        an_archive(readme=b"nothing"),
        an_office_file("/word/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml"),
        an_office_file("/word/document.xml", f"{WORD}.main+xml")[:-30],
        b"PK\x03\x04 and then nothing",
    ],
)
def test_any_other_content_has_no_type(content: bytes) -> None:
    """Programs, web pages, files with macros, plain archives and broken archives are not on the list."""
    assert file_types.media_type_of(io.BytesIO(content)) is None


@given(st.binary(max_size=200))
def test_no_archive_makes_detection_fail(rest: bytes) -> None:
    """Random bytes after the signature of an archive have no type, and raise no error."""
    assert file_types.media_type_of(io.BytesIO(b"PK\x03\x04" + rest)) is None
