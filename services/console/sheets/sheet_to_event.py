"""Turns a filled sheet into the event of a submission.

The event's id derives from its content, so that a retry is the same event. All faults are reported in one run, each at
its cell and in the reader's language. The files that the sheet names must lie beside it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.events import ids
from schemas.events.facts import SUBMITTED
from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.values import Bilingual, Language
from schemas.problems import FieldError
from schemas.text import normal_form
from services.console.sheets import completeness, sheet_reader
from services.console.sheets.layout import CHOICE_MARK, FORMAT
from services.console.sheets.sheet_reader import SheetCell, SheetColumns
from services.console.support import inputs
from services.console.tables.table import InputTable, RefusedTableError
from services.intake.cloudevents import schema_errors
from services.intake.core.forms import file_types, form_fields, form_to_event
from services.intake.core.forms.file_types import RefusedFile
from services.intake.core.forms.form_to_event import AttachedFile

_SINGLE_KEYS = frozenset({"format", "plan", "obligation", "zone", "agency", "period"})
_KEY_PREFIXES = frozenset({"document", "dispatch", "content", "sections", "indicators", "parts", "attachments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetEvent:
    """The event of a filled sheet, the sheet itself, and warnings about what it lacks, each beginning with its cell."""

    event: bytes
    sheet: "FilledSheet"
    warnings: tuple[str, ...]


class FilledSheet:
    """The answers of a sheet by key."""

    def __init__(self, table: InputTable, columns: SheetColumns, cells: Mapping[str, SheetCell]) -> None:
        self.path = table.path
        self.cells = cells
        self._table = table
        self._columns = columns

    def text(self, key: str) -> str:
        """Return the answer of *key* as text."""
        cell = self.cells.get(key)
        return "" if cell is None or cell.answer is None else str(cell.answer).strip()

    def place(self, pointer: str) -> str:
        """Return the name of the cell that answers *pointer* into the event, or the file's path where no cell does."""
        key = form_fields.key_at(pointer)
        head, _, number = pointer.removeprefix("/data/").partition("/")
        if head == "attachments":
            index = number.partition("/")[0]
            key = f"attachments.{int(index) + 1}" if index.isdigit() else "attachments.1"
        cell = self.cells.get(key)
        return str(self.path) if cell is None else self._table.place(cell.row, self._columns.answer)


def read_event(path: Path, language: Language) -> SheetEvent:
    """Return the event of the sheet in *path*; raise `UnusableInputError` with every fault at its cell."""
    sheet = _read_sheet(path, language)
    faults = [_finding_at(key, cell.fault) for key, cell in sheet.cells.items() if cell.fault]
    zone = _parse_zone(sheet, faults)
    duty = _parse_duty(sheet, faults)
    attachments = _describe_attachments(sheet, faults)
    percents = frozenset(key for key, cell in sheet.cells.items() if cell.unit == sheet_reader.PERCENT)
    answers = {key: cell.answer for key, cell in sheet.cells.items()}
    # The rules of the web form apply to sheets too, so that one answer gives one event however it is sent.
    data = form_to_event.build_report(duty, answers, files=attachments, zone=zone, percents=percents)
    if isinstance(data, tuple):
        faults += data
    elif not faults:
        fact = schema_errors.parse_fact(SUBMITTED, data)
        faults += fact if isinstance(fact, tuple) else ()
    if faults or isinstance(data, tuple):
        raise inputs.UnusableInputError("\n".join(_describe_findings(sheet, faults, language)))
    warnings = _describe_findings(sheet, completeness.find_gaps(sheet.cells, data), language)
    return SheetEvent(event=_build_event(data), sheet=sheet, warnings=tuple(warnings))


def _read_sheet(path: Path, language: Language) -> FilledSheet:
    try:
        table = sheet_reader.read_sheet(path)
        columns = sheet_reader.find_columns(table)
    except RefusedTableError as cause:
        raise inputs.UnusableInputError(f"{cause.place}: {cause.detail.in_language(language)}") from cause
    cells: dict[str, SheetCell] = {}
    for cell in sheet_reader.read_cells(table, columns):
        head = cell.key.partition(".")[0]
        if cell.key in cells or (cell.key not in _SINGLE_KEYS and head not in _KEY_PREFIXES):
            place = table.place(cell.row, columns.key)
            message = _DUPLICATE_LINE if cell.key in cells else _UNKNOWN_KEY
            raise inputs.UnusableInputError(f"{place}: {message.in_language(language)}")
        cells[cell.key] = cell
    return FilledSheet(table, columns, cells)


def _parse_zone(sheet: FilledSheet, faults: list[FieldError]) -> ZoneInfo:
    if sheet.text("format") != FORMAT:
        faults.append(_finding_at("format", _OTHER_FORMAT))
    try:
        return ZoneInfo(sheet.text("zone"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(_finding_at("zone", _NO_ZONE))
        return ZoneInfo("UTC")


def _parse_duty(sheet: FilledSheet, faults: list[FieldError]) -> DutyKey:
    agency = sheet.text("agency").partition(CHOICE_MARK)[0].strip()
    faults.extend(_finding_at(key, _REQUIRED) for key in ("plan", "obligation", "agency") if not sheet.text(key))
    period = sheet.text("period") or None
    if "period" in sheet.cells:
        try:
            periods.parse(period or "")
        except ValueError:
            faults.append(_finding_at("period", _NO_PERIOD))
    return DutyKey(plan=sheet.text("plan"), obligation=sheet.text("obligation"), period=period, agency=agency)


def _describe_attachments(sheet: FilledSheet, faults: list[FieldError]) -> list[AttachedFile]:
    found: list[AttachedFile] = []
    for key in sheet.cells:
        name = sheet.text(key) if key.startswith("attachments.") else ""
        if not name:
            continue
        one = _describe_attachment(sheet.path.parent, name)
        if isinstance(one, Bilingual):
            faults.append(_finding_at(key, one))
        else:
            found.append(one)
    return found


def _describe_attachment(folder: Path, name: str) -> AttachedFile | Bilingual:
    """Return name, type by content, size and digest of the file *name* in *folder*, or why it cannot be attached."""
    path = _find_file(folder, name)
    try:
        with path.open("rb") as stream:
            return file_types.describe_file(normal_form.repair_text(path.name), stream)
    except OSError:
        return Bilingual.of(
            en=f"there is no file {name!r} beside the sheet",
            vi=f"không tìm thấy tệp “{name}” trong thư mục của phiếu",
        )
    except RefusedFile as refusal:
        return refusal.name_file(name)


def _find_file(folder: Path, name: str) -> Path:
    """Return the path of the file *name*, whose name on disk may be in another Unicode form than in the sheet."""
    path = folder / name
    if path.exists() or name.isascii() or not path.parent.is_dir():
        return path
    siblings = (one for one in path.parent.iterdir() if normal_form.repair_text(one.name) == path.name)
    return next(siblings, path)


def _build_event(data: Mapping[str, object]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": ids.sheet_event_id(data),
        "source": ids.SHEET_SOURCE,
        "type": SUBMITTED,
        "subject": data["agency"],
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False).encode()


def _describe_findings(sheet: FilledSheet, findings: Iterable[FieldError], language: Language) -> list[str]:
    """Return a line for each place with the first finding about it."""
    first: dict[str, FieldError] = {}
    for one in findings:
        first.setdefault(one.pointer, one)
    lines = (f"{sheet.place(one.pointer)}: {_in_language(one, language)}" for one in first.values())
    return list(dict.fromkeys(lines))


def _in_language(error: FieldError, language: Language) -> str:
    return error.detail if isinstance(error.detail, str) else error.detail.in_language(language)


def _finding_at(key: str, said: Bilingual) -> FieldError:
    return FieldError(pointer=form_fields.event_pointer(key), detail=said)


_REQUIRED = Bilingual.of(en="is needed", vi="cần được điền")
_NO_PERIOD = Bilingual.of(
    en=f"write the period as text: {periods.FORMS}",
    vi=f"hãy ghi kỳ báo cáo dạng chữ: {periods.FORMS_VI}",
)
_NO_ZONE = Bilingual.of(
    en="the time zone was changed; use a fresh sheet", vi="múi giờ đã bị sửa; hãy dùng phiếu mới do `dondoc sheet` tạo"
)
_OTHER_FORMAT = Bilingual.of(
    en=f"this is no sheet of the form {FORMAT}; make a fresh one with `dondoc sheet`",
    vi=f"phiếu không theo mẫu {FORMAT}; hãy tạo phiếu mới bằng `dondoc sheet`",
)
_UNKNOWN_KEY = Bilingual.of(
    en="no line of a sheet has this key; restore it, or use a fresh sheet",
    vi="không có dòng nào của phiếu mang mã này; hãy khôi phục hoặc dùng phiếu mới",
)
_DUPLICATE_LINE = Bilingual.of(en="this line stands here twice; remove one", vi="dòng này bị lặp; hãy xóa bớt một dòng")
