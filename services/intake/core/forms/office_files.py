"""Tells what an office document in a ZIP archive is, and whether it carries more than a document.

Refused is what a recipient's program could run or fetch: macros, embedded programs (OLE), and parts that are loaded
from outside, such as a template on another server. Names and declared types are read as the formats define them: OOXML
(Open Packaging Conventions, ISO/IEC 29500-2) and ODF 1.3 part 2.
"""

import zipfile
from enum import Enum, auto
from posixpath import basename
from xml.etree import ElementTree as ET

from services.intake.core.forms.zip_archive import UnreadableArchive, read_entry

OOXML_TYPES = {
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    ),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
}
ODF_TYPES = frozenset({"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet"})

_CONTENT_TYPES = "[Content_Types].xml"
_ODF_TYPE = "mimetype"
_RELATIONSHIPS = ".rels"

# Bytes read of a part that names types or relations: office programs write less, and a bomb would unpack to more.
_PART_BYTES_MAX = 1024 * 1024
_RELATIONSHIPS_MAX = 500  # such parts; a workbook has one for each sheet

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # a compound file, the container of macros and of embedded programs
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")

# Parts of macros by their names, whatever their declared types are; the last three are folders of ODF.
_MACRO_PARTS = frozenset({"vbaproject.bin", "vbadata.xml", "vbaprojectsignature.bin"})
_MACRO_FOLDERS = ("basic/", "scripts/", "dialogs/")
_MACRO_SUFFIXES = (".docm", ".dotm", ".xlsm", ".xltm", ".xlam", ".xlsb", ".pptm", ".potm", ".ppam", ".ppsm")
_MACRO_TYPES = ("macroenabled", "vbaproject", "ms-office.activex", "ms-office.vba", "macrosheet")


# Relations to hyperlinks and to other workbooks: the program asks before it follows them.
_FOLLOWED_BY_A_PERSON = ("/hyperlink", "/externalLinkPath", "/xlPathMissing")


class ActiveContent(Enum):
    """Why an office document is more than a document."""

    MACROS = auto()
    EMBEDDED = auto()
    EXTERNAL = auto()


def office_type_of(archive: zipfile.ZipFile) -> str | None:
    """Return the media type that the document declares, or None if it is not on the list."""
    declared = read_entry(archive, _ODF_TYPE, _PART_BYTES_MAX).decode("ascii", "replace").strip()
    if declared in ODF_TYPES:
        return declared
    return next((OOXML_TYPES[one] for one in _content_types(archive) if one in OOXML_TYPES), None)


def find_active_content(archive: zipfile.ZipFile) -> ActiveContent | None:
    """Return what the document carries besides text, figures and pictures; None if it carries nothing else."""
    names = [one.filename.casefold().replace("\\", "/") for one in archive.infolist()]
    if any(_is_macro_part(name) for name in names) or _declares_macros(archive):
        return ActiveContent.MACROS
    if any(_begins_as_program(archive, one) for one in archive.infolist()):
        return ActiveContent.EMBEDDED
    return ActiveContent.EXTERNAL if _loads_from_outside(archive) else None


def _is_macro_part(name: str) -> bool:
    return basename(name) in _MACRO_PARTS or name.startswith(_MACRO_FOLDERS) or name.endswith(_MACRO_SUFFIXES)


def _declares_macros(archive: zipfile.ZipFile) -> bool:
    return any(mark in one.casefold() for one in _content_types(archive) for mark in _MACRO_TYPES)


def _begins_as_program(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    head = read_entry(archive, entry.filename, len(_OLE))
    return head == _OLE or head.startswith(_PROGRAMS)


def _loads_from_outside(archive: zipfile.ZipFile) -> bool:
    """Whether a relation leads out of the document that a program follows by itself."""
    parts = [one for one in archive.infolist() if one.filename.casefold().endswith(_RELATIONSHIPS)]
    if len(parts) > _RELATIONSHIPS_MAX or any(one.file_size > _PART_BYTES_MAX for one in parts):
        return True
    return any(
        one.get("TargetMode", "").casefold() == "external" and not one.get("Type", "").endswith(_FOLLOWED_BY_A_PERSON)
        for part in parts
        for one in _elements(archive, part.filename)
    )


def _content_types(archive: zipfile.ZipFile) -> list[str]:
    return [one.get("ContentType", "") for one in _elements(archive, _CONTENT_TYPES)]


def _elements(archive: zipfile.ZipFile, name: str) -> list[ET.Element]:
    """Return the elements below the root of a part; none if there is no such part.

    Raise `UnreadableArchive` if it is no XML, as a part that was cut off is not.
    """
    part = read_entry(archive, name, _PART_BYTES_MAX)
    try:
        return list(ET.fromstring(part)) if part else []  # noqa: S314 - expat bounds what entities expand to
    except ET.ParseError as cause:
        raise UnreadableArchive from cause
