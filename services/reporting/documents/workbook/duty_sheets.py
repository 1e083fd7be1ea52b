"""The sheets of the workbook about duties: who was urged with what effect, who still owes what, who owes nothing."""

from services.reporting.core import labels
from services.reporting.core.report.blocks import CellType, Column, Table, TableRow
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.report.parts import shortcomings

NUMBER = Column(name="number", title="TT", share=5, cell_type=CellType.NUMBER, is_centred=True)
AGENCY = Column(name="agency", title="Đơn vị", share=26)
PERIOD = Column(name="period", title="Kỳ báo cáo", share=12, is_centred=True)
URGING_COLUMNS = (
    NUMBER,
    AGENCY,
    PERIOD,
    Column(name="reminders", title="Nhắc trước hạn", share=9, cell_type=CellType.NUMBER),
    Column(name="urgings", title="Đôn đốc sau hạn", share=9, cell_type=CellType.NUMBER),
    Column(name="about_incomplete", title="Đề nghị bổ sung", share=9, cell_type=CellType.NUMBER),
    Column(name="escalations", title="Báo cấp trên", share=9, cell_type=CellType.NUMBER),
    Column(name="channels", title="Kênh", share=16),
    Column(name="last_at", title="Lần cuối", share=15, cell_type=CellType.INSTANT, is_centred=True),
    Column(name="effect", title="Kết quả", share=18),
)


def build_urgings(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return how often and by which channels each agency was reminded and urged, and with what effect."""
    rows = []
    alerted = [line for of_period in chapter.periods for line in of_period.urged]
    for number, line in enumerate(alerted, start=1):
        urging = line.urging
        channels = ", ".join(f"{labels.CHANNEL_LABELS[channel].vi} {count}" for channel, count in urging.by_channel)
        rows.append(
            TableRow(
                cells=(
                    number,
                    line.agency_name,
                    line.key.period,
                    urging.reminders,
                    urging.urgings,
                    urging.about_incomplete,
                    urging.escalations,
                    channels or labels.describe_unsent(urging),
                    urging.last_at,
                    labels.describe_effect(line, outline.zone),
                )
            )
        )
    return Table(name="urgings", title="Kết quả nhắc, đôn đốc", columns=URGING_COLUMNS, rows=tuple(rows))


def build_missing(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return whose report is past due and not complete, and what it lacks."""
    outstanding = [line for of_period in chapter.periods for line in of_period.outstanding]
    rows = (
        TableRow(
            cells=(
                number,
                line.agency_name,
                line.key.period,
                labels.status_label(line.status),
                line.days_late,
                shortcomings.describe_missing(line, chapter, outline) or "toàn bộ báo cáo",
            )
        )
        for number, line in enumerate(outstanding, start=1)
    )
    return Table(
        name="missing",
        title="Đơn vị chưa gửi hoặc gửi chưa đầy đủ",
        columns=(
            NUMBER, AGENCY, PERIOD,
            Column(name="status", title="Tình trạng", share=18),
            Column(name="days_late", title="Số ngày quá hạn", share=12, cell_type=CellType.NUMBER),
            Column(name="missing", title="Nội dung còn thiếu", share=40),
        ),
        rows=tuple(rows),
    )  # fmt: skip


def build_excluded(chapter: ObligationChapter, outline: Outline) -> Table:
    """Return the duties that left the denominator, and why."""
    excluded = [line for of_period in chapter.periods for line in of_period.excluded]
    rows = (
        TableRow(
            cells=(
                number,
                line.agency_name,
                line.key.period,
                labels.status_label(line.status),
                "; ".join(filter(None, [*labels.describe_notes(line), outline.cite_decision(line)])),
            )
        )
        for number, line in enumerate(excluded, start=1)
    )
    return Table(
        name="excluded",
        title="Đơn vị không tính vào số phải gửi",
        columns=(
            NUMBER, AGENCY, PERIOD,
            Column(name="status", title="Lý do", share=25),
            Column(name="flags", title="Ghi chú", share=40),
        ),
        rows=tuple(rows),
    )  # fmt: skip
