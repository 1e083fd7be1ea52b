"""A list of duties as a file: the rows of exactly one question, for a program as CSV, for a desk as XLSX."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import xlsxwriter

from schemas.plan.plan import Plan
from schemas.plan.values import Bilingual
from schemas.text import normal_form
from services.reporting.core import labels
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.timeline import UnreadableRecord
from services.reporting.documents import csv_json
from services.reporting.documents.csv_json import BYTE_ORDER_MARK

CSV_FIELDS = ("plan", *csv_json.FIELDS)
_SHEET = Bilingual(vi="Danh sách", en="Duties")
_HEADER_ROW = 2  # below the question and a blank line
_DAY_FORMAT, _INSTANT_FORMAT = "dd/mm/yyyy", "hh:mm dd/mm/yyyy"

# Title, and width in characters.
_COLUMNS = (
    (Bilingual(vi="Kế hoạch", en="Plan"), 16),
    (Bilingual(vi="Kỳ", en="Period"), 10),
    (Bilingual(vi="Nghĩa vụ", en="Duty"), 40),
    (Bilingual(vi="Mục", en="Clause"), 10),
    (Bilingual(vi="Nhóm", en="Group"), 28),
    (Bilingual(vi="Đơn vị", en="Agency"), 36),
    (Bilingual(vi="Mã đơn vị", en="Agency id"), 14),
    (Bilingual(vi="Tình trạng", en="Status"), 20),
    (Bilingual(vi="Hạn cuối (hết ngày)", en="Due by the end of"), 14),
    (Bilingual(vi="Thời điểm gửi", en="Received"), 17),
    (Bilingual(vi="Số ngày trễ", en="Days late"), 9),
    (Bilingual(vi="Còn thiếu", en="Missing"), 36),
    (Bilingual(vi="Ghi chú", en="Notes"), 36),
    (Bilingual(vi="Số lần nhắc, đôn đốc", en="Times reminded, urged"), 11),
    (Bilingual(vi="Lần cuối", en="Last one"), 17),
)

Value = str | int | date | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyList:
    """The rows of one question, which `question` says in words, and the plans that they are of, by their ids."""

    question: str
    lines: Sequence[DutyLine]
    unreadable: Sequence[UnreadableRecord]
    plans: Mapping[str, Plan]
    as_of: datetime
    language: str

    def zone_of(self, line: DutyLine) -> ZoneInfo:
        """Return the zone whose days a line's plan counts in."""
        return ZoneInfo(self.plans[line.key.plan].zone)

    def describe_missing(self, line: DutyLine) -> str:
        """Return what the report of a line lacks, in words."""
        plan = self.plans[line.key.plan]
        obligation = plan.obligation(line.key.obligation)
        return labels.describe_missing(line, obligation, plan, self.language) if obligation else "; ".join(line.missing)


def render_csv(listed: DutyList) -> bytes:
    """Render one line a duty, in UTF-8 with a byte order mark; the columns are those of the report's CSV, and the plan.

    A stored record that cannot be read is a line with the status `unreadable`.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")  # RFC 4180
    writer.writerow(CSV_FIELDS)
    for line in listed.lines:
        plan = csv_json.escape_formula(line.key.plan)
        writer.writerow([plan, *csv_json.render_record(line, listed.zone_of(line))])
    writer.writerows([None, *csv_json.render_unreadable(one)] for one in listed.unreadable)
    return (BYTE_ORDER_MARK + buffer.getvalue()).encode("utf-8", "backslashreplace")


def render_xlsx(listed: DutyList) -> bytes:
    """Render one row a duty with real dates, a filter and a header that stays; the same rows give the same bytes."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        # Without a date the library writes the wall clock.
        workbook.set_properties({"created": datetime(listed.as_of.year, listed.as_of.month, listed.as_of.day)})  # noqa: DTZ001 - the file format has no zones
        sheet = workbook.add_worksheet(_SHEET.in_language(listed.language))
        header = workbook.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"})
        formats = {
            datetime: workbook.add_format({"num_format": _INSTANT_FORMAT, "valign": "top"}),
            date: workbook.add_format({"num_format": _DAY_FORMAT, "valign": "top"}),
        }
        text = workbook.add_format({"text_wrap": True, "valign": "top"})
        sheet.write_string(0, 0, normal_form.drop_unseen(listed.question))
        for column, (title, width) in enumerate(_COLUMNS):
            sheet.set_column(column, column, width)
            sheet.write_string(_HEADER_ROW, column, title.in_language(listed.language), header)
        rows = [_list_values(line, listed) for line in listed.lines]
        for at, values in enumerate(rows, start=_HEADER_ROW + 1):
            for column, value in enumerate(values):
                if isinstance(value, str):
                    sheet.write_string(at, column, normal_form.drop_unseen(value), text)
                elif isinstance(value, date):
                    sheet.write_datetime(at, column, value, formats[type(value)])
                elif value is not None:
                    sheet.write_number(at, column, value)
        sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + max(1, len(rows)), len(_COLUMNS) - 1)
        sheet.freeze_panes(_HEADER_ROW + 1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_HEADER_ROW)
    return buffer.getvalue()


def _list_values(line: DutyLine, listed: DutyList) -> Iterable[Value]:
    zone, language = listed.zone_of(line), listed.language
    return (
        line.key.plan,
        line.key.period,
        line.title,
        line.clause,
        line.group_name,
        line.agency_name,
        line.key.agency,
        labels.status_label(line.status, language),
        line.due_on,
        _wall_time(line.effective_at, zone),
        line.days_late,
        listed.describe_missing(line),
        "; ".join(labels.describe_notes(line, language)),
        line.urging.occasions,
        _wall_time(line.urging.last_at, zone),
    )


def _wall_time(instant: datetime | None, zone: ZoneInfo) -> datetime | None:
    # The file format has no zones: a cell holds the wall time that people read.
    return None if instant is None else instant.astimezone(zone).replace(tzinfo=None)
