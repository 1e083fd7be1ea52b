"""Reads tables saved as text: any separator, any encoding that a spreadsheet program or an old office system writes."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from schemas.plan.values import Bilingual
from schemas.text import legacy_encodings
from services.console.tables import text_cells
from services.console.tables.table import CELLS_MAX, COLUMNS_MAX, ROWS_MAX, InputCell, InputRow, RefusedTableError

SEPARATORS = ",;\t|"

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

# Bytes looked at for the zeros that every other byte of Latin text is in UTF-16.
_SAMPLE = 4_096


def read_rows(path: Path, content: bytes, is_header: Callable[[InputRow], bool]) -> tuple[InputRow, ...]:
    """Return the rows of the text in *content*, read with the separator with which one of them is the header.

    Raise `RefusedTableError` where the text has no known encoding, or a quotation mark that is not closed.
    """
    text = decode_text(path, content)
    refusal: RefusedTableError | None = None
    for separator in SEPARATORS:
        try:
            rows = tuple(_parse_rows(path, text, separator))
        except RefusedTableError as cause:
            if cause.detail is TOO_LARGE:
                raise
            refusal = refusal or cause
            continue
        if any(map(is_header, rows)):
            return rows
    if refusal is not None:
        raise refusal
    return ()


def decode_text(path: Path, content: bytes) -> str:
    """Return the text in *content*; raise `RefusedTableError` where its encoding is not known."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _guess_utf16(content)
    try:
        return content.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as cause:
        legacy = None if encoding else legacy_encodings.decode(content)
        if legacy is None:
            line = content.count(b"\n", 0, cause.start) + 1
            raise RefusedTableError(f"{path}:{line}", _UNKNOWN_ENCODING) from cause
        return legacy


def _guess_utf16(content: bytes) -> str | None:
    """Return which UTF-16 *content* without a mark is in, by its zeros; None if it has few of them."""
    sample = content[:_SAMPLE]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if zeros and zeros.count(0) > len(zeros) // 3 and sample.count(0) == zeros.count(0):
            return encoding
    return None


def _parse_rows(path: Path, text: str, separator: str) -> Iterator[InputRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number, cells, rows = 1, 0, 0
    try:
        for written in reader:
            # A record may run over several lines; people look for it where it begins.
            first, number = number, reader.line_num + 1
            row = InputRow(number=first, cells=dict(_read_cells(written)))
            if row.cells:
                rows, cells = rows + 1, cells + len(row.cells)
                yield row
            if rows > ROWS_MAX or cells > CELLS_MAX:
                raise RefusedTableError(str(path), TOO_LARGE)
    except csv.Error as cause:
        detail = Bilingual.of(en=f"not CSV: {cause}", vi=f"không phải CSV hợp lệ: {cause}")
        raise RefusedTableError(f"{path}:{number}", detail) from cause


def _read_cells(written: Iterable[str]) -> Iterator[tuple[int, InputCell]]:
    for column, text in enumerate(written):
        if text.strip() and column < COLUMNS_MAX:
            yield column, text_cells.read_text(text)


TOO_LARGE = Bilingual.of(
    en=f"the table is too large: at most {ROWS_MAX:,} rows and 16 MiB; copy what is needed into a new file",
    vi="bảng quá lớn: tối đa 20.000 dòng và 16 MiB; hãy sao chép phần cần thiết sang tệp mới",
)
_UNKNOWN_ENCODING = Bilingual.of(
    en="not UTF-8 text, and no older Vietnamese encoding either; save it as .xlsx, or as CSV in UTF-8",
    vi="không phải văn bản UTF-8, cũng không phải bảng mã tiếng Việt cũ; hãy lưu dạng .xlsx hoặc CSV mã UTF-8",
)
