"""The signature field of the PDF: empty, where Decree 30/2020 has the signature, ready for whoever signs.

The field is added by an incremental update, as a signature is. It is part of the structure that a screen reader
follows (PDF/UA-1, 7.18.1: a widget lies in a Form tag).
"""

import hashlib
import io

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, NameObject, NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from services.runtime.typst import PagePosition

FIELD_NAME = "ChuKy"
READABLE_NAME = "Chữ ký của người ký Báo cáo"
PAGE_HEIGHT_PT = 841.89  # of A4 upright, from the top of which positions are measured
COLUMN_PT = 231.0  # half of the width of the text
WIDTH_PT, HEIGHT_PT = 200.0, 80.0
TOP_GAP_PT = 3.0  # between the signer's title and the field


class _UpdateWriter(IncrementalPdfFileWriter):
    """Writes an update that leaves the metadata alone: the library would state the wall clock in them."""

    def _update_meta(self) -> None:
        """Do nothing: the date of the document is that of the report."""


def add_signature_field(document: bytes, position: PagePosition) -> bytes:
    """Return *document* with an empty signature field in the column whose upper left corner is at *position*.

    The same document gives the same bytes.
    """
    writer = _UpdateWriter(io.BytesIO(document))
    top = PAGE_HEIGHT_PT - position.top_pt - TOP_GAP_PT
    left = position.left_pt + (COLUMN_PT - WIDTH_PT) / 2
    box = (round(left), round(top - HEIGHT_PT), round(left + WIDTH_PT), round(top))
    spec = SigFieldSpec(
        sig_field_name=FIELD_NAME, on_page=position.page - 1, box=box, readable_field_name=READABLE_NAME
    )
    append_signature_field(writer, spec)
    _tag_widget(writer, position.page - 1)
    # The library draws a random id; the digest of what is updated is as unique, and the same at each rendering.
    identifier = writer._document_id  # noqa: SLF001 - there is no call for it
    identifier[1] = generic.ByteStringObject(hashlib.sha256(document).digest()[:16])
    written = io.BytesIO()
    writer.write(written)  # type: ignore[no-untyped-call]  # its method has no annotations
    return written.getvalue()


def _tag_widget(writer: IncrementalPdfFileWriter, page_index: int) -> None:
    """Put the widget, the last annotation of its page, into a Form element at the end of the structure."""
    page_reference, _ = writer.find_page_for_modification(page_index)
    page = page_reference.get_object()
    widget_reference = page["/Annots"].raw_get(-1)
    root = writer.root["/StructTreeRoot"]
    key = int(root["/ParentTreeNextKey"])
    widget_reference.get_object()[NameObject("/StructParent")] = NumberObject(key)
    writer.mark_update(widget_reference)
    parent_reference = root.raw_get("/K")
    if isinstance(parent_reference, ArrayObject):
        parent_reference = parent_reference.raw_get(0)
    element = writer.add_object(_build_form_element(parent_reference, widget_reference, page_reference))
    parent = parent_reference.get_object()
    parent["/K"].append(element)
    writer.update_container(parent["/K"])
    numbers = root["/ParentTree"]["/Nums"]
    numbers.extend((NumberObject(key), element))
    writer.update_container(numbers)
    root[NameObject("/ParentTreeNextKey")] = NumberObject(key + 1)
    writer.update_container(root)


def _build_form_element(
    parent: generic.PdfObject, widget: generic.PdfObject, page: generic.PdfObject
) -> DictionaryObject:
    reference = DictionaryObject(
        {NameObject("/Type"): NameObject("/OBJR"), NameObject("/Obj"): widget, NameObject("/Pg"): page}
    )
    return DictionaryObject(
        {
            NameObject("/Type"): NameObject("/StructElem"),
            NameObject("/S"): NameObject("/Form"),
            NameObject("/P"): parent,
            NameObject("/Alt"): generic.TextStringObject(READABLE_NAME),
            NameObject("/K"): reference,
        }
    )
