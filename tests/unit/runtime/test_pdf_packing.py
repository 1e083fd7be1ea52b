"""A packed PDF is the same document in fewer bytes."""

import io
import re

import pytest
from pypdf import PdfReader

from services.runtime import pdf_packing
from services.runtime.pdf_packing import UnknownLayoutError

TEXT = b"BT /F1 12 Tf 72 720 Td (Xin chao endobj) Tj ET"
STREAM = b"<</Length %d>>\nstream\n%b\nendstream" % (len(TEXT), TEXT)
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def a_document(*, notes: int = 0) -> bytes:
    """Build a PDF of one page with so many further objects, laid out as Typst does it."""
    bodies = [
        b"<</Type/Pages/Count 1/Kids[2 0 R]>>",
        b"<</Type/Page/Parent 1 0 R/MediaBox[0 0 595 842]/Contents 3 0 R/Resources<</Font<</F1 4 0 R>>>>>>",
        STREAM,
        FONT,
        *(b"<</Type/StructElem/S/TD/Note %d>>" % number for number in range(notes)),
        b"<</Type/Catalog/Pages 1 0 R>>",
    ]
    written, offsets = bytearray(b"%PDF-1.7\n%\x80\x80\x80\x80\n\n"), []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f\r\n" % (len(bodies) + 1)
    written += b"".join(b"%010d 00000 n\r\n" % offset for offset in offsets)
    written += b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, len(bodies), table)
    return bytes(written)


@pytest.mark.parametrize("notes", [0, 1, 199, 200, 1000])
def test_a_packed_document_reads_as_before(notes: int) -> None:
    """Whatever the number of objects, every one is found again, and the page has its text."""
    reader = PdfReader(io.BytesIO(pdf_packing.pack_objects(a_document(notes=notes))), strict=True)
    (page,) = reader.pages
    assert page.extract_text() == "Xin chao endobj"
    found = [reader.get_object(number) for number in range(5, 5 + notes)]
    assert [one["/Note"] for one in found] == list(range(notes))  # type: ignore[index]  # each is a dictionary


def test_a_document_with_many_objects_gets_smaller_and_always_the_same() -> None:
    """What has thousands of cells is a few kilobytes; the same document gives the same bytes."""
    document = a_document(notes=3000)
    packed = pdf_packing.pack_objects(document)
    assert len(packed) < len(document) / 5
    assert pdf_packing.pack_objects(document) == packed
    assert not re.search(rb"StructElem", packed)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"%PDF-1.7",
        a_document().replace(b"startxref\n", b"startxref\n1"),
        a_document().replace(b"4 0 obj", b"5 0 obj"),
    ],
)
def test_what_typst_has_not_written_is_refused(document: bytes) -> None:
    """No document is made worse because another program, or another version, lays it out otherwise."""
    with pytest.raises(UnknownLayoutError):
        pdf_packing.pack_objects(document)
