"""Tables that people hand in are read whichever program saved them, and refused with their place and the remedy."""

import io
import unicodedata
import zipfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from schemas.plan.values import Bilingual
from services.console.tables import delimited_text, reader, table, workbook_parts
from services.console.tables.table import InputRow, InputTable, RefusedTableError

MISSING = Bilingual.of(en="no header", vi="không có dòng tiêu đề")
ROWS = [["Cơ quan", "Số liệu"], ["UBND huyện Thọ Xuân", "1.234,5"], ["Sở Tài chính", "7"]]

# The namespaces of Strict OOXML (ISO/IEC 29500-1) in the place of those that programs write by default.
STRICT = {
    b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships"
    ),
}


def is_header(row: InputRow) -> bool:
    """Whether the row names the columns."""
    return (row.text(0), row.text(1)) == ("Cơ quan", "Số liệu")


def read(path: Path) -> InputTable:
    """Read the table in *path*."""
    return reader.read_table(path, is_header, MISSING)


def values_of(found: InputTable) -> list[list[Any]]:
    """Return the values below the header, two columns wide."""
    return [[row.cell(column).value for column in (0, 1)] for row in found.rows]


def refusal_of(path: Path) -> str:
    """Return place and reason of the refusal."""
    with pytest.raises(RefusedTableError) as caught:
        read(path)
    return f"{caught.value.place.removeprefix(f'{path.parent}/')}: {caught.value.detail.vi}"


def write_text(path: Path, separator: str, encoding: str) -> Path:
    """Write the rows as a program does that separates them so."""
    text = "\r\n".join(separator.join(f'"{one}"' if separator in one else one for one in row) for row in ROWS)
    path.write_bytes(text.encode(encoding))
    return path


def write_workbook(
    path: Path, rows: Sequence[Sequence[Any]], *, cover: str = "", formats: dict[str, str] | None = None
) -> Path:
    """Write *rows* as Excel does, behind a cover page if there is one."""
    with xlsxwriter.Workbook(str(path)) as book:
        if cover:
            book.add_worksheet(cover).write_string(0, 0, "Kính gửi")
        page = book.add_worksheet("Số liệu")
        for row, cells in enumerate(rows):
            for column, value in enumerate(cells):
                code = (formats or {}).get(f"{row},{column}")
                page.write(row, column, value, *([book.add_format({"num_format": code})] if code else []))
    return path


def rewrite_parts(path: Path, changes: dict[bytes, bytes]) -> Path:
    """Replace text in every part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            for old, new in changes.items():
                content = content.replace(old, new)  # noqa: PLW2901 - one change after the other
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("separator", delimited_text.SEPARATORS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_is_read_with_any_separator_in_any_unicode(tmp_path: Path, separator: str, encoding: str) -> None:
    """Commas, semicolons, tabs and strokes; UTF-8 and UTF-16 with and without a mark."""
    found = read(write_text(tmp_path / "a.csv", separator, encoding))
    assert values_of(found) == ROWS[1:]
    assert [found.place(row.number, 1) for row in found.rows] == [f"{tmp_path}/a.csv:{line}" for line in (2, 3)]


@pytest.mark.parametrize("encoding", ["TCVN3", "VNI", "Windows-1258"])
def test_text_in_an_older_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """What offices saved before Unicode comes out as Vietnamese, and its header is found."""
    content = {
        "TCVN3": b"C\xac quan;S\xe8 li\xd6u\r\nUBND huy\xd6n Th\xe4 Xu\xa9n;5",
        "VNI": "Cô quan;Soá lieäu\r\nUBND huyeän Thoï Xuaân;5".encode("cp1252"),
        "Windows-1258": b"C\xf5 quan;S\xf4\xec li\xea\xf2u\r\nUBND huy\xea\xf2n Tho\xf2 Xu\xe2n;5",
    }[encoding]
    (tmp_path / "a.csv").write_bytes(content)
    assert values_of(read(tmp_path / "a.csv")) == [["UBND huyện Thọ Xuân", "5"]]


def test_a_record_over_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    """A line break in quotes belongs to its cell; `sep=;` and titles above the header are passed over."""
    (tmp_path / "a.csv").write_text('sep=;\n"DANH\nSÁCH";\nCơ quan;Số liệu\n"a\nb";1\n\n;;\nc;2', encoding="utf-8")
    found = read(tmp_path / "a.csv")
    assert [(row.number, row.text(0)) for row in found.rows] == [(5, "a\nb"), (9, "c")]


def test_a_workbook_is_read_behind_its_cover_whatever_it_is_called(tmp_path: Path) -> None:
    """The page with the header is found, a hidden page is not looked at, and the suffix says nothing."""
    path = write_workbook(tmp_path / "a.csv", [["Bảng 1"], [], *ROWS], cover="Bìa")
    found = read(path)
    assert values_of(found) == ROWS[1:]
    assert found.place(found.rows[0].number, 1) == f"{path}!Số liệu!B4"
    plain = read(write_workbook(tmp_path / "b.xlsx", ROWS))
    assert plain.place(plain.rows[0].number, 1) == f"{tmp_path}/b.xlsx!B2"
    book = openpyxl.load_workbook(write_workbook(tmp_path / "c.xlsx", ROWS, cover="Bìa"))
    book["Số liệu"].sheet_state = "hidden"
    book.save(tmp_path / "c.xlsx")
    assert "không có dòng tiêu đề" in refusal_of(tmp_path / "c.xlsx")


def test_figures_are_exact_and_formats_respected(tmp_path: Path) -> None:
    """No digits of binary fractions; percentages, days and times by their formats; text stays text."""
    figures: list[float] = [0.1 + 0.2, 0.125, 46365, 3715, 1234.6, 46365.6875]
    rows: list[list[Any]] = [ROWS[0], *(["a", one] for one in figures)]
    formats = {"2,1": "0.0%", "3,1": "dd/mm/yyyy", "6,1": "dd/mm/yyyy hh:mm"}
    found = read(write_workbook(tmp_path / "a.xlsx", rows, formats=formats))
    assert [row.cell(1).value for row in found.rows] == [
        *(Decimal("0.3"), Decimal("0.125"), datetime(2026, 12, 9), 3715, Decimal("1234.6")),  # noqa: DTZ001 - a cell
        datetime(2026, 12, 9, 16, 30),  # noqa: DTZ001 - a cell has no zone
    ]
    assert [row.cell(1).is_percent for row in found.rows] == [False, True, False, False, False, False]
    scaled = read(write_workbook(tmp_path / "b.xlsx", [ROWS[0], ["a", 3715000]], formats={"1,1": "#,##0,"}))
    fault = scaled.rows[0].cell(1).fault
    assert fault is not None
    assert "chia cho nghìn" in fault.vi


def test_days_of_a_workbook_that_counts_from_1904_are_right(tmp_path: Path) -> None:
    """Excel for Mac once began four years later."""
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx"), {"date_1904": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ROWS[0])
        page.write_datetime(1, 1, datetime(2026, 12, 9), book.add_format({"num_format": 14}))  # noqa: DTZ001
    found = read(tmp_path / "a.xlsx")
    assert (found.is_1904, found.rows[0].cell(1).value) == (True, datetime(2026, 12, 9))  # noqa: DTZ001


def test_a_strict_workbook_is_read_like_any_other(tmp_path: Path) -> None:
    """The other namespaces make no difference, and a day may stand as text of ISO 8601."""
    path = rewrite_parts(write_workbook(tmp_path / "a.xlsx", [*ROWS, ["x", 5]]), STRICT)
    assert values_of(read(path)) == [*ROWS[1:], ["x", 5]]
    rewrite_parts(path, {b'<c r="B4"><v>5</v>': b'<c r="B4" t="d"><v>2026-12-09T00:00:00</v>'})
    assert read(path).rows[-1].cell(1).value == datetime(2026, 12, 9)  # noqa: DTZ001 - a cell has no zone


def test_texts_of_every_program_are_read(tmp_path: Path) -> None:
    """Texts in place, in several runs, with phonetic guides, escaped characters, and cells without an address."""
    path = write_workbook(tmp_path / "a.xlsx", ROWS)
    with zipfile.ZipFile(path) as archive:
        page = archive.read("xl/worksheets/sheet1.xml")
    start, end = page.index(b"<sheetData>") + len(b"<sheetData>"), page.index(b"</sheetData>")
    cells = (
        '<row><c t="inlineStr"><is><t>Cơ quan</t></is></c><c t="inlineStr"><is><t>Số liệu</t></is></c></row>'
        '<row><c t="inlineStr"><is><r><t>Sở </t></r><r><t>Y tế</t></r><rPh><t>guide</t></rPh></is></c>'
        '<c t="str"><f>A1</f><v>a_x000D_b</v></c></row>'
        '<row><c r="B9" t="b"><v>1</v></c></row><row r="12"><c r="A12" t="e"><v>#REF!</v></c><c><f>1+1</f></c></row>'
    )
    rewrite_parts(path, {page[start:end]: cells.encode()})
    found = read(path)
    assert values_of(found)[:2] == [["Sở Y tế", "a\rb"], [None, True]]
    assert [row.number for row in found.rows] == [2, 3, 12]
    faults = [found.rows[2].cell(column).fault for column in (0, 1)]
    assert ["#REF!" in str(faults[0]), "công thức" in str(faults[1])] == [True, True]


def test_cells_are_in_one_form_whatever_their_encoding(tmp_path: Path) -> None:
    """Decomposed text, unseen letters and TCVN3 come out alike; letters that were lost are a fault of their cell."""
    written = [unicodedata.normalize("NFD", "Thọ Xuân"), "Thọ\u200b Xuân", "Thä Xu©n", "Thoï Xuaân", "Th?a Xuân"]
    found = read(write_workbook(tmp_path / "a.xlsx", [ROWS[0], *([one, "1"] for one in written)]))
    assert [row.cell(0).value for row in found.rows[:4]] == ["Thọ Xuân"] * 4
    assert [row.cell(0).fault is None for row in found.rows] == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xlsx: bảng tính kiểu cũ (.xls)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx: bảng tính đang được đặt",
        ),
        (b"\xef\xbb\xbf \n<html><table>", "a.xlsx: tệp này thực chất là trang web"),
        (b"%PDF-1.7", "a.xlsx: tệp PDF"),
        (b"PK\x03\x04broken", "a.xlsx: không phải bảng tính XLSX"),
        ("Привет;мир\nещё;раз".encode("cp1251"), "a.xlsx:1: không phải văn bản UTF-8"),
        (b"agency,channel", "a.xlsx:1: không có dòng tiêu đề"),
        ('Cơ quan,Số liệu\na,"b'.encode(), "a.xlsx:2: không phải CSV hợp lệ"),
        (b"a" * (table.FILE_BYTES_MAX + 1), "a.xlsx: bảng quá lớn"),
    ],
    ids=["xls", "locked", "web page", "PDF", "broken", "unknown encoding", "no header", "open quote", "too large"],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(tmp_path: Path, content: bytes, reason: str) -> None:
    """Each file of another kind is named as what it is, at its line where it has one."""
    (tmp_path / "a.xlsx").write_bytes(content)
    assert refusal_of(tmp_path / "a.xlsx").startswith(reason)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    assert refusal_of(tmp_path / "none.xlsx").startswith("none.xlsx: không đọc được tệp")


def test_a_workbook_costs_no_more_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that unpacks to too much, too many elements or rows, and a document type are refused at once."""
    bomb = write_workbook(tmp_path / "a.xlsx", ROWS)
    rewrite_parts(bomb, {b"</sheetData>": b"</sheetData>" + b" " * (workbook_parts.PART_BYTES_MAX + 1)})
    assert bomb.stat().st_size < 200_000
    assert refusal_of(bomb).startswith("a.xlsx: bảng quá lớn")
    entities = write_workbook(tmp_path / "b.xlsx", ROWS)
    rewrite_parts(entities, {b"<worksheet": b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'})
    assert refusal_of(entities).startswith("b.xlsx: không phải bảng tính")
    deep = rewrite_parts(write_workbook(tmp_path / "c.xlsx", ROWS), {b"<sheetData>": b"<a>" * 100 + b"<sheetData>"})
    assert refusal_of(deep).startswith("c.xlsx: bảng quá lớn")
    monkeypatch.setattr(workbook_parts, "ELEMENTS_MAX", 20)
    assert refusal_of(write_workbook(tmp_path / "d.xlsx", ROWS * 20)).startswith("d.xlsx: bảng quá lớn")


def test_a_cell_in_the_last_row_costs_nothing(tmp_path: Path) -> None:
    """Rows are read as they stand in the file; the empty ones between them do not exist."""
    path = write_workbook(tmp_path / "a.xlsx", ROWS)
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["A1048576"] = "cuối"
    book.save(path)
    assert read(path).rows[-1].number == 1_048_576


def test_a_sheet_as_a_stream_of_bytes_is_the_same_file(tmp_path: Path) -> None:
    """Entries with backslashes, which one program writes, are found."""
    path = write_workbook(tmp_path / "a.xlsx", ROWS)
    with zipfile.ZipFile(path) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.filename = name.replace("/", "\\")
            archive.writestr(entry, content)
    path.write_bytes(stream.getvalue())
    assert values_of(read(path)) == ROWS[1:]
