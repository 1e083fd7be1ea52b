"""The tables of the report: the summary by group, the agencies, the urgings, what is missing, who stands apart."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from services.reporting.core import wording
from services.reporting.core.annual_report import AnnualReport, Chapter
from services.reporting.core.lines import DutyLine
from services.reporting.core.scorecard import Scorecard
from services.reporting.documents.table import Cell, Column, Form, Row, Table

SUMMARY = (
    Column(name="group", title="Nhóm đơn vị", share=27),
    Column(name="expected", title="Phải gửi", share=8, form=Form.NUMBER, is_centred=True),
    Column(name="actual", title="Đã gửi đầy đủ", share=9, form=Form.NUMBER, is_centred=True),
    Column(name="on_time", title="Đúng hạn", share=8, form=Form.NUMBER, is_centred=True),
    Column(name="late", title="Trễ hạn", share=8, form=Form.NUMBER, is_centred=True),
    Column(name="incomplete", title="Chưa đầy đủ", share=9, form=Form.NUMBER, is_centred=True),
    Column(name="overdue", title="Chưa gửi", share=8, form=Form.NUMBER, is_centred=True),
    Column(name="pending", title="Chưa đến hạn", share=9, form=Form.NUMBER, is_centred=True),
    Column(name="reporting_rate", title="Tỷ lệ gửi", share=9, form=Form.PERCENT, is_centred=True),
    Column(name="reporting_rate_on_time", title="Tỷ lệ đúng hạn", share=10, form=Form.PERCENT, is_centred=True),
)
AGENCIES = (
    Column(name="number", title="STT", share=6, form=Form.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=21),
    Column(name="due_on", title="Hạn cuối (hết ngày)", share=13, form=Form.DATE, is_centred=True),
    Column(name="received_at", title="Thời điểm gửi", share=13, form=Form.INSTANT, is_centred=True),
    Column(name="status", title="Tình trạng", share=14),
    Column(name="days_late", title="Số ngày trễ", share=7, form=Form.NUMBER, is_centred=True),
    Column(name="missing", title="Còn thiếu, ghi chú", share=17),
    Column(name="urged", title="Nhắc, đôn đốc", share=19),
)
MISSING = (
    Column(name="number", title="STT", share=6, form=Form.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=34),
    Column(name="status", title="Tình trạng", share=18),
    Column(name="days_late", title="Số ngày quá hạn", share=12, form=Form.NUMBER, is_centred=True),
    Column(name="missing", title="Nội dung còn thiếu", share=40),
)
URGINGS = (
    Column(name="number", title="STT", share=6, form=Form.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=27),
    Column(name="reminders", title="Nhắc trước hạn", share=9, form=Form.NUMBER, is_centred=True),
    Column(name="urgings", title="Đôn đốc sau hạn", share=9, form=Form.NUMBER, is_centred=True),
    Column(name="about_incomplete", title="Đề nghị bổ sung", share=9, form=Form.NUMBER, is_centred=True),
    Column(name="escalations", title="Báo cấp trên", share=9, form=Form.NUMBER, is_centred=True),
    Column(name="channels", title="Kênh", share=16),
    Column(name="last_at", title="Lần cuối", share=14, form=Form.INSTANT, is_centred=True),
    Column(name="effect", title="Kết quả", share=16),
)
APART = (
    Column(name="number", title="STT", share=6, form=Form.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=44),
    Column(name="status", title="Lý do", share=30),
    Column(name="flags", title="Ghi chú", share=30),
)


UNDATED = (
    Column(name="number", title="STT", share=6, form=Form.NUMBER, is_centred=True),
    Column(name="title", title="Nhiệm vụ", share=58),
    Column(name="clause", title="Mục", share=10, is_centred=True),
    Column(name="agencies", title="Số đơn vị được giao", share=13, form=Form.NUMBER, is_centred=True),
    Column(name="fulfilled", title="Đã ghi nhận kết quả", share=13, form=Form.NUMBER, is_centred=True),
)


def summary(chapter: Chapter) -> Table:
    """Return the figures by group and overall; the total counts duties, so no agency is counted twice."""
    rows = [Row(cells=_scores(group.name, group.scores)) for group in chapter.groups]
    rows.append(Row(cells=_scores("Tổng cộng", chapter.total), is_total=True))
    return Table(name="summary", title="Tổng hợp kết quả theo nhóm đơn vị", columns=SUMMARY, rows=tuple(rows))


def agencies(chapter: Chapter, zone: ZoneInfo) -> Table:
    """Return every duty of the chapter, under its group's heading."""
    rows = [_agency(number, line, chapter, zone) for number, line in enumerate(chapter.lines, start=1)]
    return Table(
        name="agencies",
        title="Chi tiết theo từng đơn vị",
        columns=AGENCIES,
        rows=tuple(_under_groups(rows, chapter.lines)),
    )


def missing(chapter: Chapter) -> Table:
    """Return who still owes a report past due, and what of it."""
    rows = (
        Row(cells=(number, line.agency_name, wording.status(line.status), line.days_late, _lacking(line, chapter)))
        for number, line in enumerate(chapter.outstanding, start=1)
    )
    return Table(name="missing", title="Đơn vị chưa gửi hoặc gửi chưa đầy đủ", columns=MISSING, rows=tuple(rows))


def urgings(lines: Iterable[DutyLine], zone: ZoneInfo) -> Table:
    """Return who of *lines* was spoken to how often, by what channel, and with what effect."""
    rows = (Row(cells=_urging(number, line, zone)) for number, line in enumerate(lines, start=1))
    return Table(name="urgings", title="Kết quả nhắc, đôn đốc", columns=URGINGS, rows=tuple(rows))


def apart(chapter: Chapter) -> Table:
    """Return who left the denominator, and why."""
    rows = (
        Row(
            cells=(
                number,
                line.agency_name,
                wording.status(line.status),
                ", ".join(wording.notes(line)),
            )
        )
        for number, line in enumerate(chapter.apart, start=1)
    )
    return Table(name="apart", title="Đơn vị không tính vào số phải gửi", columns=APART, rows=tuple(rows))


def tables_of(report: AnnualReport, chapter: Chapter) -> tuple[Table, ...]:
    """Return every table of a chapter, the empty ones too, so that a program finds what it expects."""
    zone = ZoneInfo(report.plan.zone)
    return summary(chapter), agencies(chapter, zone), urgings(chapter.urged, zone), missing(chapter), apart(chapter)


def undated(report: AnnualReport) -> Table:
    """Return the duties without a date. That nothing is on record does not say that nothing was done."""
    rows = (
        Row(cells=(number, one.title, one.clause, one.fulfilled + one.open, one.fulfilled))
        for number, one in enumerate(report.undated, start=1)
    )
    return Table(name="undated", title="Nhiệm vụ Kế hoạch không quy định thời hạn", columns=UNDATED, rows=tuple(rows))


def _scores(name: str, scores: Scorecard) -> tuple[Cell, ...]:
    return (
        name,
        scores.expected,
        scores.actual,
        scores.on_time,
        scores.late,
        scores.incomplete,
        scores.overdue,
        scores.pending,
        scores.reporting_rate,
        scores.reporting_rate_on_time,
    )


def _agency(number: int, line: DutyLine, chapter: Chapter, zone: ZoneInfo) -> Row:
    heirs = (f"{heir} kế thừa" for heir in line.heirs)
    flags = (wording.flag(flag) for flag in line.flags if flag in _TOLD)
    notes = [wording.missing(line, chapter.obligation), *heirs, *flags]
    return Row(
        cells=(
            number,
            line.agency_name,
            line.due_on,
            line.effective_at,
            wording.status(line.status),
            line.days_late,
            "; ".join(note for note in notes if note),
            wording.urged(line.urging, zone),
        )
    )


_TOLD = frozenset(
    {
        "nil_return",
        "under_extension",
        "duplicate",
        "needs_reconciliation",
        "withdrawn",
        "voluntary_report",
        "filed_by_successor",
        "amended_after_deadline",
    }
)
"""Flags that a reader of the printed table needs; the others stay in the files for programs."""


def _lacking(line: DutyLine, chapter: Chapter) -> str:
    return wording.missing(line, chapter.obligation) or "toàn bộ báo cáo"


def _urging(number: int, line: DutyLine, zone: ZoneInfo) -> tuple[Cell, ...]:
    urging = line.urging
    channels = ", ".join(f"{wording.CHANNEL[channel].vi}\u00a0{count}" for channel, count in urging.by_channel)
    return (
        number,
        line.agency_name,
        urging.reminders,
        urging.urgings,
        urging.about_incomplete,
        urging.escalations,
        channels or "không liên hệ được",
        urging.last_at,
        wording.effect(line, zone),
    )


def _under_groups(rows: Iterable[Row], lines: Iterable[DutyLine]) -> Iterable[Row]:
    group = None
    for row, line in zip(rows, lines, strict=True):
        if line.group != group:
            group = line.group
            yield Row(cells=(line.group_name,), is_heading=True)
        yield row
