"""Builds ZIP archives and office files, honest ones and such as no program would write."""

import io
import struct
import zipfile

_ENTRY = b"PK\x01\x02" + bytes(42)
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")


def an_archive(parts: dict[str, bytes | str]) -> bytes:
    """Build a ZIP archive of *parts*."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def a_zip_of_empty_entries(count: int, *, said: int | None = None, is_zip64: bool = False) -> bytes:
    """Build an archive whose directory lists *count* empty entries; its end record may say another number."""
    entries = b"".join(
        _ENTRY[:28] + struct.pack("<H", len(name)) + _ENTRY[30:] + name
        for name in (b"%d" % number for number in range(count))
    )
    head = b"PK\x03\x04" + bytes(26)
    stated = count if said is None else said
    if not is_zip64:
        end = _END.pack(b"PK\x05\x06", 0, 0, stated & 0xFFFF, stated & 0xFFFF, len(entries), len(head), 0)
        return head + entries + end
    end_64 = _END_64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, stated, stated, len(entries), len(head))
    locator = _LOCATOR_64.pack(b"PK\x06\x07", 0, len(head) + len(entries), 1)
    end = _END.pack(b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return head + entries + end_64 + locator + end


def an_office_document(kind: str = "word", parts: dict[str, bytes | str] | None = None, *, types: str = "") -> bytes:
    """Build a DOCX (`word`) or XLSX (`xl`) with further *parts* and with *types*, more elements of its types."""
    main, content_type = {
        "word": ("/word/document.xml", "wordprocessingml.document"),
        "xl": ("/xl/workbook.xml", "spreadsheetml.sheet"),
    }[kind]
    content_types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="{main}"'
        f' ContentType="application/vnd.openxmlformats-officedocument.{content_type}.main+xml"/>'
        f"{types}</Types>"
    )
    return an_archive({"[Content_Types].xml": content_types, main[1:]: "<document/>", **(parts or {})})


def relationships(kind: str, target: str, *, is_external: bool = True) -> str:
    """Build a part of relationships with one of that *kind*."""
    mode = ' TargetMode="External"' if is_external else ""
    address = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{address}/{kind}" Target="{target}"{mode}/></Relationships>'
    )
