"""The type of a file by its content alone, and office files that are more than documents."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.forms import file_types
from services.intake.core.forms.file_types import RefusedFile
from tests.support.builders.archives import a_zip_of_empty_entries, an_archive, an_office_document, relationships
from tests.support.clients.form import PDF

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)


def an_override(content_type: str) -> str:
    """Build the declaration of a part's type."""
    return f'<Override PartName="/x" ContentType="{content_type}"/>'


@pytest.mark.parametrize(
    "content,media_type",
    [
        (PDF, "application/pdf"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (an_office_document("word"), WORD),
        (an_office_document("xl"), EXCEL),
        (an_archive({"mimetype": ODT}), ODT),
        (an_office_document("word", {"word/media/image1.png": b"\x89PNG"}), WORD),
        (
            an_office_document("word", {"word/_rels/x.rels": relationships("hyperlink", "https://thanhhoa.gov.vn")}),
            WORD,
        ),
        (an_office_document("word", {"_rels/.rels": relationships("image", "media/a.png", is_external=False)}), WORD),
        (an_office_document("xl", {"xl/_rels/x.rels": relationships("externalLinkPath", "b.xlsx")}), EXCEL),
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
        OLE,
        an_archive({"readme": b"nothing"}),
        an_office_document("word")[:-30],
        b"PK\x03\x04 and then nothing",
        an_archive({"[Content_Types].xml": "<Types", "word/document.xml": ""}),
        # The words of the type, in another place than where a program looks.
        an_archive({"[Content_Types].xml": f"<Types><!-- {WORD}.main+xml --></Types>"}),
    ],
)
def test_any_other_content_is_refused(content: bytes) -> None:
    """Programs, web pages, plain archives and broken archives are not on the list."""
    with pytest.raises(RefusedFile, match="is no PDF, DOCX"):
        file_types.media_type_of(io.BytesIO(content))


@pytest.mark.parametrize(
    "content",
    [
        an_office_document("word", {"word/vbaProject.bin": OLE}),
        an_office_document("xl", {"xl/VBAPROJECT.BIN": b"x"}),
        an_office_document("word", types=an_override("application/vnd.ms-word.document.macroEnabled.main+xml")),
        an_office_document(
            "word", types='<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
        ),
        an_office_document("xl", types=an_override("application/vnd.ms-excel.macrosheet+xml")),
        an_office_document("word", types=an_override("application/vnd.ms-office.activeX+xml")),
        an_office_document("word", {"word/embeddings/book.xlsm": b"PK"}),
        an_archive({"mimetype": ODT, "Basic/Standard/Module1.xml": "<module/>"}),
        an_archive({"mimetype": ODT, "Scripts/python/a.py": "import os"}),
    ],
)
def test_macros_are_refused(content: bytes) -> None:
    """By the name of a part, by its declared type, in OOXML and in ODF."""
    with pytest.raises(RefusedFile, match="contains macros; save it as DOCX, XLSX or PDF without macros") as refused:
        file_types.media_type_of(io.BytesIO(content))
    assert refused.value.reason.vi.startswith("có macro; hãy lưu lại")


@pytest.mark.parametrize(
    "content",
    [
        an_office_document("word", {"word/embeddings/oleObject1.bin": OLE}),
        an_office_document("word", {"word/media/picture.png": OLE}),
        an_office_document("word", {"word/media/picture.png": b"MZ\x90\x00"}),
        an_archive({"mimetype": ODT, "Object 1": OLE}),
        an_archive({"mimetype": ODT, "Pictures/a.png": b"#!/bin/sh"}),
    ],
)
def test_embedded_programs_are_refused(content: bytes) -> None:
    """By the first bytes of a part, whatever its name is."""
    with pytest.raises(RefusedFile, match="contains an embedded file or program"):
        file_types.media_type_of(io.BytesIO(content))


@pytest.mark.parametrize(
    "part",
    [
        relationships("attachedTemplate", "https://evil.example/x.dotm"),
        relationships("image", "https://evil.example/pixel.png"),
        relationships("oleObject", "file://evil.example/x"),
        relationships("frame", "https://evil.example/x").encode("utf-16").decode("utf-16"),
        relationships("attachedTemplate", "https://evil.example/x.dotm").replace("External", "external"),
        "<!--" + "x" * 1024 * 1024 + "-->" + relationships("attachedTemplate", "https://evil.example/x.dotm"),
    ],
)
def test_a_template_from_elsewhere_is_refused(part: str) -> None:
    """What a program loads by itself when the document is opened must be in the document."""
    for encoding in ("utf-8", "utf-16"):
        content = an_office_document("word", {"word/_rels/settings.xml.rels": part.encode(encoding)})
        with pytest.raises(RefusedFile, match="loads a template or a picture from elsewhere"):
            file_types.media_type_of(io.BytesIO(content))


def test_an_archive_of_too_many_entries_says_what_to_do() -> None:
    """The refusal is of its own, and soon."""
    with pytest.raises(RefusedFile, match="has too many parts, or is too large when it is unpacked; save it as PDF"):
        file_types.media_type_of(io.BytesIO(a_zip_of_empty_entries(680_000)))


@given(st.binary(max_size=200))
def test_no_archive_makes_detection_fail(rest: bytes) -> None:
    """Random bytes after the signature of an archive have no type, and raise no other error."""
    with pytest.raises(RefusedFile):
        file_types.media_type_of(io.BytesIO(b"PK\x03\x04" + rest))


@given(st.binary(max_size=60), st.integers(min_value=0))
def test_no_change_of_an_office_file_makes_detection_fail(changed: bytes, place: int) -> None:
    """Bytes overwritten anywhere give a type or a refusal."""
    content = an_office_document("word", {"word/_rels/x.rels": relationships("hyperlink", "https://a.vn")})
    at = place % len(content)
    with suppress(RefusedFile):
        assert file_types.media_type_of(io.BytesIO(content[:at] + changed + content[at + len(changed) :])) == WORD
