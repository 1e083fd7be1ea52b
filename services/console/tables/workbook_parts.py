"""Reads the parts of a workbook (XLSX) as a stream of elements, at a bounded cost in bytes, elements and depth.

Workbooks by Excel, LibreOffice, Google and WPS differ in what they write besides cells, and Strict OOXML in its
namespaces. So elements are known by their local names, and whatever else there is is passed over (ISO/IEC 29500-1,
18.2 to 18.9).
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Protocol
from xml.parsers import expat

from services.console.tables import number_formats
from services.console.tables.number_formats import PLAIN, NumberFormat
from services.intake.core.forms.zip_archive import OversizedArchive, UnreadableArchive

PART_BYTES_MAX = 64 * 1024 * 1024
ELEMENTS_MAX = 2_000_000
DEPTH_MAX = 64
_CHUNK = 256 * 1024

_ROOT_RELATIONS = "_rels/.rels"
_WORKBOOK = "xl/workbook.xml"
_HIDDEN = frozenset({"hidden", "veryHidden"})

Attributes = Mapping[str, str]


class PartHandler(Protocol):
    """Takes the elements of a part. The text of an element is what stands in it after its last child."""

    def start(self, tag: str, attributes: Attributes) -> None: ...

    def end(self, tag: str, text: str) -> None: ...


class PartReader:
    """Reads the parts of one archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {one.replace("\\", "/").lstrip("/").casefold(): one for one in archive.namelist()}

    def read(self, name: str, handler: PartHandler) -> bool:
        """Give all elements of the part *name* to *handler*; return whether there is such a part.

        Raise `UnreadableArchive` if it is no XML, and `OversizedArchive` if it is too large.
        """
        entry = self._names.get(name.casefold())
        if entry is None:
            return False
        parser = expat.ParserCreate(namespace_separator=" ")
        _ElementFeed(handler).connect(parser)
        with self._archive.open(entry) as stream:
            for chunk in _read_chunks(stream.read):
                _feed(parser, chunk)
        _feed(parser, b"", is_final=True)
        return True

    def relations_of(self, name: str) -> Mapping[str, tuple[str, str]]:
        """Return the relations of a part by their ids: the last word of the type, and the name of the other part."""
        folder, _, file = name.rpartition("/")
        found = _Relations(folder)
        self.read(normpath(join(folder, "_rels", f"{file}.rels")), found)
        return found.targets

    def find_workbook(self) -> str:
        """Return the name of the part that is the workbook."""
        found = _Relations("")
        self.read(_ROOT_RELATIONS, found)
        return next((target for kind, target in found.targets.values() if kind == "officeDocument"), _WORKBOOK)


class _ElementFeed:
    """Passes what the parser finds to a handler, and counts it."""

    def __init__(self, handler: PartHandler) -> None:
        self._handler = handler
        self._text: list[str] = []
        self._depth = self._count = 0

    def connect(self, parser: expat.XMLParserType) -> None:
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        # No program writes a document type; with one come entities that expand.
        parser.StartDoctypeDeclHandler = self._refuse_doctype

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._count > ELEMENTS_MAX or self._depth > DEPTH_MAX:
            raise OversizedArchive
        self._text.clear()
        self._handler.start(_local_name(tag), {_local_name(name): value for name, value in attributes.items()})

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._handler.end(_local_name(tag), "".join(self._text))
        self._text.clear()

    def _refuse_doctype(self, *_: object) -> None:
        raise UnreadableArchive


class _Relations:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.targets: dict[str, tuple[str, str]] = {}

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = normpath(join("/", self._folder, attributes.get("Target", ""))).lstrip("/")
            self.targets[attributes.get("Id", "")] = attributes.get("Type", "").rpartition("/")[2], target

    def end(self, tag: str, text: str) -> None:
        pass


class WorkbookIndex:
    """The visible worksheets in their order, as name and relation, and how days are counted."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, str]] = []
        self.is_1904 = False

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag == "sheet" and attributes.get("state") not in _HIDDEN:
            self.pages.append((attributes.get("name", ""), attributes.get("id", "")))
        elif tag == "workbookPr":
            self.is_1904 = attributes.get("date1904", "0").lower() in {"1", "true", "on"}

    def end(self, tag: str, text: str) -> None:
        pass


class StyleIndex:
    """The number format of each style of cells."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}
        self._formats: list[NumberFormat] = []
        self._is_in_cell_styles = False

    def format_of(self, style: str) -> NumberFormat:
        """Return the number format of a cell whose style has the number *style*."""
        index = int(style) if style.isdecimal() else 0
        return self._formats[index] if index < len(self._formats) else PLAIN

    def start(self, tag: str, attributes: Attributes) -> None:
        match tag:
            case "numFmt":
                self._codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            case "cellXfs":
                self._is_in_cell_styles = True
            case "xf" if self._is_in_cell_styles:
                self._formats.append(self._resolve(attributes.get("numFmtId", "0")))

    def end(self, tag: str, text: str) -> None:
        del text
        if tag == "cellXfs":
            self._is_in_cell_styles = False

    def _resolve(self, number: str) -> NumberFormat:
        if number in self._codes:
            return number_formats.parse_format(self._codes[number])
        return number_formats.built_in_format(int(number)) if number.isdecimal() else PLAIN


class SharedStrings:
    """The texts of a workbook. Phonetic guides, which Excel keeps beside Asian text, are left out."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._is_phonetic = False

    def start(self, tag: str, attributes: Attributes) -> None:
        del attributes
        self._is_phonetic = self._is_phonetic or tag == "rPh"

    def end(self, tag: str, text: str) -> None:
        match tag:
            case "t" if not self._is_phonetic:
                self._parts.append(text)
            case "rPh":
                self._is_phonetic = False
            case "si":
                self.texts.append("".join(self._parts))
                self._parts.clear()


def part_beside(name: str, target: str) -> str:
    """Return the name of the part *target* in the folder of the part *name*."""
    return normpath(join(dirname(name), target))


def _read_chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    total = 0
    while chunk := read(_CHUNK):
        total += len(chunk)
        if total > PART_BYTES_MAX:
            raise OversizedArchive
        yield chunk


def _feed(parser: expat.XMLParserType, chunk: bytes, *, is_final: bool = False) -> None:
    try:
        parser.Parse(chunk, is_final)
    except expat.ExpatError as cause:
        raise UnreadableArchive from cause


def _local_name(name: str) -> str:
    return name.rpartition(" ")[2]
