"""The tables of the report: the summary by group, the agencies, the urgings, what is missing, the excluded duties."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from services.reporting.core import labels
from services.reporting.core.annual_report import AnnualReport, Chapter
from services.reporting.core.duty_counts import DutyCounts
from services.reporting.core.duty_lines import DutyLine
from services.reporting.documents.table_model import Cell, CellType, Column, Table, TableRow

SUMMARY_COLUMNS = (
    Column(name="group", title="Nhóm đơn vị", share=27),
    Column(name="expected", title="Phải gửi", share=8, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="actual", title="Đã gửi đầy đủ", share=9, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="on_time", title="Đúng hạn", share=8, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="late", title="Trễ hạn", share=8, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="incomplete", title="Chưa đầy đủ", share=9, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="overdue", title="Chưa gửi", share=8, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="pending", title="Chưa đến hạn", share=9, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="reporting_rate", title="Tỷ lệ gửi", share=9, cell_type=CellType.PERCENT, is_centred=True),
    Column(
        name="reporting_rate_on_time", title="Tỷ lệ đúng hạn", share=10, cell_type=CellType.PERCENT, is_centred=True
    ),
)
AGENCIES_COLUMNS = (
    Column(name="number", title="STT", share=6, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=21),
    Column(name="due_on", title="Hạn cuối (hết ngày)", share=13, cell_type=CellType.DATE, is_centred=True),
    Column(name="received_at", title="Thời điểm gửi", share=13, cell_type=CellType.INSTANT, is_centred=True),
    Column(name="status", title="Tình trạng", share=14),
    Column(name="days_late", title="Số ngày trễ", share=7, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="missing", title="Còn thiếu, ghi chú", share=17),
    Column(name="urged", title="Nhắc, đôn đốc", share=19),
)
MISSING_COLUMNS = (
    Column(name="number", title="STT", share=6, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=34),
    Column(name="status", title="Tình trạng", share=18),
    Column(name="days_late", title="Số ngày quá hạn", share=12, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="missing", title="Nội dung còn thiếu", share=40),
)
URGINGS_COLUMNS = (
    Column(name="number", title="STT", share=6, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=27),
    Column(name="reminders", title="Nhắc trước hạn", share=9, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="urgings", title="Đôn đốc sau hạn", share=9, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="about_incomplete", title="Đề nghị bổ sung", share=9, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="escalations", title="Báo cấp trên", share=9, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="channels", title="Kênh", share=16),
    Column(name="last_at", title="Lần cuối", share=14, cell_type=CellType.INSTANT, is_centred=True),
    Column(name="effect", title="Kết quả", share=16),
)
EXCLUDED_COLUMNS = (
    Column(name="number", title="STT", share=6, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="agency", title="Đơn vị", share=44),
    Column(name="status", title="Lý do", share=30),
    Column(name="flags", title="Ghi chú", share=30),
)
UNDATED_COLUMNS = (
    Column(name="number", title="STT", share=6, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="title", title="Nhiệm vụ", share=58),
    Column(name="clause", title="Mục", share=10, is_centred=True),
    Column(name="agencies", title="Số đơn vị được giao", share=13, cell_type=CellType.NUMBER, is_centred=True),
    Column(name="fulfilled", title="Đã ghi nhận kết quả", share=13, cell_type=CellType.NUMBER, is_centred=True),
)

# The flags that the printed table of agencies shows; CSV and JSON hold them all.
PRINTED_FLAGS = frozenset(
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


def build_summary_table(chapter: Chapter) -> Table:
    """Return the figures by group and overall; the total counts duties, so no agency is counted twice."""
    rows = [TableRow(cells=_count_cells(group.name, group.counts)) for group in chapter.groups]
    rows.append(TableRow(cells=_count_cells("Tổng cộng", chapter.total), is_total=True))
    return Table(name="summary", title="Tổng hợp kết quả theo nhóm đơn vị", columns=SUMMARY_COLUMNS, rows=tuple(rows))


def build_agency_table(chapter: Chapter, zone: ZoneInfo) -> Table:
    """Return every duty of the chapter, under the heading of its group."""
    rows = [_build_agency_row(number, line, chapter, zone) for number, line in enumerate(chapter.lines, start=1)]
    return Table(
        name="agencies",
        title="Chi tiết theo từng đơn vị",
        columns=AGENCIES_COLUMNS,
        rows=tuple(_insert_group_headings(rows, chapter.lines)),
    )


def build_missing_table(chapter: Chapter) -> Table:
    """Return the agencies whose report is past due and not complete, and what is missing of it."""
    rows = (
        TableRow(
            cells=(
                number,
                line.agency_name,
                labels.status_label(line.status),
                line.days_late,
                labels.describe_missing(line, chapter.obligation) or "toàn bộ báo cáo",
            )
        )
        for number, line in enumerate(chapter.outstanding, start=1)
    )
    return Table(
        name="missing", title="Đơn vị chưa gửi hoặc gửi chưa đầy đủ", columns=MISSING_COLUMNS, rows=tuple(rows)
    )


def build_urging_table(lines: Iterable[DutyLine], zone: ZoneInfo) -> Table:
    """Return how often and by which channels the agencies of *lines* were urged, and with what effect."""
    rows = (TableRow(cells=_urging_cells(number, line, zone)) for number, line in enumerate(lines, start=1))
    return Table(name="urgings", title="Kết quả nhắc, đôn đốc", columns=URGINGS_COLUMNS, rows=tuple(rows))


def build_excluded_table(chapter: Chapter) -> Table:
    """Return the duties that left the denominator, and why."""
    rows = (
        TableRow(
            cells=(
                number,
                line.agency_name,
                labels.status_label(line.status),
                ", ".join(labels.describe_notes(line)),
            )
        )
        for number, line in enumerate(chapter.excluded, start=1)
    )
    return Table(name="excluded", title="Đơn vị không tính vào số phải gửi", columns=EXCLUDED_COLUMNS, rows=tuple(rows))


def build_chapter_tables(report: AnnualReport, chapter: Chapter) -> tuple[Table, ...]:
    """Return every table of a chapter, the empty ones too, so that a program always finds the same tables."""
    zone = ZoneInfo(report.plan.zone)
    return (
        build_summary_table(chapter),
        build_agency_table(chapter, zone),
        build_urging_table(chapter.urged, zone),
        build_missing_table(chapter),
        build_excluded_table(chapter),
    )


def build_undated_table(report: AnnualReport) -> Table:
    """Return the obligations without a due date. No result on record does not mean that nothing was done."""
    rows = (
        TableRow(cells=(number, one.title, one.clause, one.fulfilled + one.open, one.fulfilled))
        for number, one in enumerate(report.undated, start=1)
    )
    return Table(
        name="undated", title="Nhiệm vụ Kế hoạch không quy định thời hạn", columns=UNDATED_COLUMNS, rows=tuple(rows)
    )


def _count_cells(name: str, counts: DutyCounts) -> tuple[Cell, ...]:
    return (
        name,
        counts.expected,
        counts.actual,
        counts.on_time,
        counts.late,
        counts.incomplete,
        counts.overdue,
        counts.pending,
        counts.reporting_rate,
        counts.reporting_rate_on_time,
    )


def _build_agency_row(number: int, line: DutyLine, chapter: Chapter, zone: ZoneInfo) -> TableRow:
    successors = (f"{name} kế thừa" for name in line.successors)
    flags = (labels.flag_label(flag) for flag in line.flags if flag in PRINTED_FLAGS)
    notes = [labels.describe_missing(line, chapter.obligation), *successors, *flags]
    return TableRow(
        cells=(
            number,
            line.agency_name,
            line.due_on,
            line.effective_at,
            labels.status_label(line.status),
            line.days_late,
            "; ".join(note for note in notes if note),
            labels.describe_urging(line.urging, zone),
        )
    )


def _urging_cells(number: int, line: DutyLine, zone: ZoneInfo) -> tuple[Cell, ...]:
    urging = line.urging
    channels = ", ".join(f"{labels.CHANNEL_LABELS[channel].vi}\u00a0{count}" for channel, count in urging.by_channel)
    return (
        number,
        line.agency_name,
        urging.reminders,
        urging.urgings,
        urging.about_incomplete,
        urging.escalations,
        channels or "không liên hệ được",
        urging.last_at,
        labels.describe_effect(line, zone),
    )


def _insert_group_headings(rows: Iterable[TableRow], lines: Iterable[DutyLine]) -> Iterable[TableRow]:
    group = None
    for row, line in zip(rows, lines, strict=True):
        if line.group != group:
            group = line.group
            yield TableRow(cells=(line.group_name,), is_heading=True)
        yield row
