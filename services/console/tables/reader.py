"""The one reader of the tables that people hand in: report sheets, contacts, lists.

What a file is, its content says: a workbook that somebody renamed to .csv is read as one. The table may stand below a
title, or on a page behind a cover; its header is looked for.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from schemas.plan.values import Bilingual
from services.console.tables import delimited_text, workbook
from services.console.tables.delimited_text import TOO_LARGE
from services.console.tables.table import FILE_BYTES_MAX, InputRow, InputTable, RefusedTableError
from services.intake.core.forms.zip_archive import OversizedArchive, UnreadableArchive

_ZIP = b"PK\x03\x04"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MARKUP = (b"<html", b"<!doctype", b"<?xml", b"<table", b"<meta", b"<head")
_HEAD_BYTES = 512

IsHeader = Callable[[InputRow], bool]


def read_table(path: Path, is_header: IsHeader, missing: Bilingual) -> InputTable:
    """Return the first table in *path* that has a header.

    Raise `RefusedTableError` with the place and the remedy; the detail is *missing* where no row is a header.
    """
    content = _read_bytes(path)
    for table in _read_pages(path, content, is_header):
        return table
    raise RefusedTableError(str(path) if content.startswith(_ZIP) else f"{path}:1", missing)


def _read_pages(path: Path, content: bytes, is_header: IsHeader) -> Iterator[InputTable]:
    if not content.startswith(_ZIP):
        rows = delimited_text.read_rows(path, content, is_header)
        yield from _find_table(InputTable(path=path, rows=rows), is_header)
        return
    try:
        for page in workbook.read_worksheets(content):
            table = InputTable(path=path, rows=page.rows, is_workbook=True, page=page.name, is_1904=page.is_1904)
            yield from _find_table(table, is_header)
    except OversizedArchive as cause:
        raise RefusedTableError(str(path), TOO_LARGE) from cause
    except UnreadableArchive as cause:
        raise RefusedTableError(str(path), _NO_WORKBOOK) from cause


def _find_table(page: InputTable, is_header: IsHeader) -> Iterator[InputTable]:
    """Yield the table on *page* from its header on, if there is one."""
    for place, row in enumerate(page.rows):
        if is_header(row):
            yield replace(page, header=row, rows=page.rows[place + 1 :])
            return


def _read_bytes(path: Path) -> bytes:
    """Return the content of the file; raise `RefusedTableError` if it is too large, or another kind of document."""
    try:
        with path.open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise RefusedTableError(str(path), Bilingual.of(en=reason, vi=f"không đọc được tệp ({reason})")) from cause
    if len(content) > FILE_BYTES_MAX:
        raise RefusedTableError(str(path), TOO_LARGE)
    if content.startswith(_COMPOUND_FILE):
        raise RefusedTableError(str(path), _LOCKED if _ENCRYPTED in content else _OLD_WORKBOOK)
    if content[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        raise RefusedTableError(str(path), _WEB_PAGE)
    if content.startswith(b"%PDF"):
        raise RefusedTableError(str(path), _NO_TABLE)
    return content


_SAVE_AS = Bilingual.of(en="save it as .xlsx or .csv", vi="hãy lưu lại dạng .xlsx hoặc .csv")
_NO_WORKBOOK = Bilingual.of(en=f"not an XLSX workbook; {_SAVE_AS.en}", vi=f"không phải bảng tính XLSX; {_SAVE_AS.vi}")
_OLD_WORKBOOK = Bilingual.of(
    en=f"a workbook of the old form (.xls); open it in a spreadsheet program and {_SAVE_AS.en}",
    vi="bảng tính kiểu cũ (.xls); hãy mở bằng phần mềm bảng tính rồi lưu lại dạng .xlsx hoặc .csv",
)
_LOCKED = Bilingual.of(
    en="the workbook is locked with a password; remove it and save the file again",
    vi="bảng tính đang được đặt mật khẩu; hãy gỡ mật khẩu rồi lưu lại",
)
_WEB_PAGE = Bilingual.of(
    en=f"a web page or an XML file under the name of a table; open it in a spreadsheet program and {_SAVE_AS.en}",
    vi="tệp này thực chất là trang web hoặc XML; hãy mở bằng phần mềm bảng tính rồi lưu lại dạng .xlsx hoặc .csv",
)
_NO_TABLE = Bilingual.of(en=f"a PDF and no table; {_SAVE_AS.en}", vi=f"tệp PDF, không phải bảng; {_SAVE_AS.vi}")
