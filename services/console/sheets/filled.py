"""From a filled sheet to the event that it states. Its id derives from its content, so that a retry is the same event.

Every fault is told at its cell, in the reader's language, all in one run.
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
from services.console.sheets import enclosures, gaps, reading
from services.console.sheets.layout import CHOICE_MARK, FORMAT
from services.console.sheets.reading import Cell
from services.console.support import inputs
from services.intake.cloudevents import schema_errors
from services.intake.core.forms import form_fields, form_to_event
from services.intake.core.forms.form_to_event import AttachedFile

SOURCE = "urn:dondoc:sheet"
_SINGLE = frozenset({"format", "plan", "obligation", "zone", "agency", "period"})
_HEADS = frozenset({"document", "dispatch", "content", "sections", "indicators", "attachments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The event that a sheet states, where on the sheet each place of it was answered, and what it lacks, by cell."""

    event: bytes
    sheet: "Sheet"
    warnings: tuple[str, ...]


class Sheet:
    """A sheet as it was read."""

    def __init__(self, path: Path, cells: Mapping[str, Cell]) -> None:
        self.path = path
        self.cells = cells

    def text(self, key: str) -> str:
        cell = self.cells.get(key)
        if cell is None or cell.answer is None:
            return ""
        is_whole = isinstance(cell.answer, float) and cell.answer.is_integer()
        return str(int(cell.answer) if is_whole else cell.answer).strip()  # type: ignore[arg-type] # a float, see above

    def place(self, pointer: str) -> str:
        """Return the cell that answers for *pointer*, or the file where none does."""
        key = form_fields.key_at(pointer)
        head, _, number = pointer.removeprefix("/data/").partition("/")
        if head == "attachments":
            index = number.partition("/")[0]
            key = f"attachments.{int(index) + 1}" if index.isdigit() else "attachments.1"
        cell = self.cells.get(key)
        return str(self.path) if cell is None else reading.address(self.path, reading.ANSWER, cell.row)


def read(path: Path, language: Language) -> Filled:
    """Return what the sheet in *path* states; raise `Unusable` with every fault at its cell."""
    sheet = _sheet(path, language)
    faults = [_fault(key, _UNRECKONED) for key, cell in sheet.cells.items() if cell.is_unreckoned]
    zone = _zone(sheet, faults)
    named = _named(sheet, faults)
    enclosed = _enclosed(sheet, faults)
    percents = frozenset(key for key, cell in sheet.cells.items() if cell.unit == "%")
    given = {key: cell.answer for key, cell in sheet.cells.items()}
    stated = form_to_event.build_report(named, given, files=enclosed, zone=zone, percents=percents)
    if isinstance(stated, tuple):
        faults += stated
    elif not faults:
        fact = schema_errors.parse_fact(SUBMITTED, stated)
        faults += fact if isinstance(fact, tuple) else ()
    if faults or isinstance(stated, tuple):
        raise inputs.Unusable("\n".join(_told(sheet, faults, language)))
    warnings = _told(sheet, gaps.found(sheet.cells, stated), language)
    return Filled(event=_event(stated), sheet=sheet, warnings=tuple(warnings))


def _sheet(path: Path, language: Language) -> Sheet:
    cells: dict[str, Cell] = {}
    for cell in reading.cells(path):
        head = cell.key.partition(".")[0]
        if cell.key in cells or (cell.key not in _SINGLE and head not in _HEADS):
            place = reading.address(path, reading.KEY, cell.row)
            said = _TWICE if cell.key in cells else _NO_SUCH_LINE
            raise inputs.Unusable(f"{place}: {said.in_language(language)}")
        cells[cell.key] = cell
    return Sheet(path, cells)


def _zone(sheet: Sheet, faults: list[FieldError]) -> ZoneInfo:
    if sheet.text("format") != FORMAT:
        faults.append(_fault("format", _OTHER_FORMAT))
    try:
        return ZoneInfo(sheet.text("zone"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(_fault("zone", _NO_ZONE))
        return ZoneInfo("UTC")


def _named(sheet: Sheet, faults: list[FieldError]) -> DutyKey:
    agency = sheet.text("agency").partition(CHOICE_MARK)[0].strip()
    faults.extend(_fault(key, _NEEDED) for key in ("plan", "obligation", "agency") if not sheet.text(key))
    period = sheet.text("period") or None
    if "period" in sheet.cells:
        try:
            periods.parse(period or "")
        except ValueError:
            faults.append(_fault("period", _NO_PERIOD))
    return DutyKey(plan=sheet.text("plan"), obligation=sheet.text("obligation"), period=period, agency=agency)


def _enclosed(sheet: Sheet, faults: list[FieldError]) -> list[AttachedFile]:
    found: list[AttachedFile] = []
    for key in sheet.cells:
        name = sheet.text(key) if key.startswith("attachments.") else ""
        if not name:
            continue
        one = enclosures.enclosed(sheet.path.parent, name)
        if isinstance(one, Bilingual):
            faults.append(_fault(key, one))
        else:
            found.append(one)
    return found


def _event(data: Mapping[str, object]) -> bytes:
    event = {
        "specversion": "1.0",
        "id": f"sheet-{ids.content_digest(data)[:32]}",
        "source": SOURCE,
        "type": SUBMITTED,
        "subject": data["agency"],
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False).encode()


def _told(sheet: Sheet, findings: Iterable[FieldError], language: Language) -> list[str]:
    """Return a line for each place that something was found of, with what was found first."""
    first: dict[str, FieldError] = {}
    for one in findings:
        first.setdefault(one.pointer, one)
    lines = (f"{sheet.place(one.pointer)}: {_in_language(one, language)}" for one in first.values())
    return list(dict.fromkeys(lines))


def _in_language(error: FieldError, language: Language) -> str:
    return error.detail if isinstance(error.detail, str) else error.detail.in_language(language)


def _fault(key: str, said: Bilingual) -> FieldError:
    return FieldError(pointer=form_fields.event_pointer(key), detail=said)


_NEEDED = Bilingual.of(en="is needed", vi="cần được điền")
_UNRECKONED = Bilingual.of(
    en="the result of this formula is not in the file; "
    "open the sheet in a spreadsheet program and save it, or write what the formula comes to",
    vi="công thức ở ô này chưa có kết quả; hãy mở phiếu bằng phần mềm bảng tính rồi lưu lại, hoặc ghi thẳng kết quả",
)
_NO_PERIOD = Bilingual.of(
    en="write the period as text: 2026, 2026-H1, 2026-Q3 or 2026-07",
    vi="hãy ghi kỳ báo cáo dạng chữ: 2026, 2026-H1, 2026-Q3 hoặc 2026-07",
)
_NO_ZONE = Bilingual.of(
    en="the time zone was changed; use a fresh sheet", vi="múi giờ đã bị sửa; hãy dùng phiếu mới do `dondoc sheet` tạo"
)
_OTHER_FORMAT = Bilingual.of(
    en=f"this is no sheet of the form {FORMAT}; make a fresh one with `dondoc sheet`",
    vi=f"phiếu không theo mẫu {FORMAT}; hãy tạo phiếu mới bằng `dondoc sheet`",
)
_NO_SUCH_LINE = Bilingual.of(
    en="no line of a sheet has this key; restore it, or use a fresh sheet",
    vi="không có dòng nào của phiếu mang mã này; hãy khôi phục hoặc dùng phiếu mới",
)
_TWICE = Bilingual.of(en="this line stands here twice; remove one", vi="dòng này bị lặp; hãy xóa bớt một dòng")
