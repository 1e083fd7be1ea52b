"""What a file is, by its content alone."""

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
    """A zip archive of *parts*."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


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
def test_a_known_kind_is_told_by_its_content(content: bytes, media_type: str) -> None:
    """The first bytes, or the declaration inside an archive, say what a file is."""
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
def test_anything_else_is_not_taken(content: bytes) -> None:
    """Programs, pages, macros, bare archives and broken ones are none of the kinds."""
    assert file_types.media_type_of(io.BytesIO(content)) is None


@given(st.binary(max_size=200))
def test_no_archive_breaks_the_look_inside(rest: bytes) -> None:
    """Whatever follows the mark of an archive, the answer is a kind or none."""
    assert file_types.media_type_of(io.BytesIO(b"PK\x03\x04" + rest)) is None
