"""What changed since the last sealed version: the figures that a reader follows here, all of them in the workbook.

Totals follow from the figures of agencies, and shares from totals. So the report prints whose status changed, counts
and totals, then what changed of each agency, and counts the rest.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from schemas.events.assessments import Status, StepKind
from services.reporting.core import labels, vietnamese_locale
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Block, Column, Heading, Paragraph, Table, TableRow
from services.reporting.core.report.inputs import SealedVersionChanges
from services.reporting.core.report.outline import Outline
from services.reporting.core.report.parts import quotations, shortcomings
from services.reporting.core.sealing.figure_changes import FigureChange, FigureValue

ROWS_MAX = 30
UNKNOWN = "chưa có"
HUNDREDTH = Decimal("0.01")
WHERE_ALL_STAND = "trang tính “Thay đổi” của tệp số liệu kèm theo Báo cáo"

COUNTS = {
    "expected": "Số báo cáo phải gửi", "actual": "Số báo cáo đầy đủ", "on_time": "Số báo cáo đúng hạn",
    "late": "Số báo cáo trễ hạn", "incomplete": "Số báo cáo chưa đầy đủ", "overdue": "Số báo cáo quá hạn chưa gửi",
    "pending": "Số báo cáo chưa đến hạn", "exempt": "Số đơn vị được miễn",
    "superseded": "Số đơn vị có đơn vị kế thừa", "ended_no_successor": "Số đơn vị đã chấm dứt, chưa có kế thừa",
    "nil_returns": "Số báo cáo không phát sinh", "under_extension": "Số đơn vị được gia hạn",
    "reporting_rate": "Tỷ lệ gửi đủ", "reporting_rate_on_time": "Tỷ lệ đúng hạn",
    "fulfilled": "Số đơn vị đã ghi nhận kết quả", "open": "Số đơn vị chưa ghi nhận kết quả",
}  # fmt: skip
FIELDS = {
    "status": "tình trạng", "due_at": "hạn gửi", "effective_at": "thời điểm gửi", "days_late": "số ngày trễ",
    "submissions": "số lần gửi", "flags": "ghi chú", "missing": "nội dung còn thiếu",
    "reminders": "số lượt nhắc trước hạn", "urgings": "số lượt đôn đốc", "escalations": "số lượt báo cấp trên",
    "grade": "xếp loại", "officer_grade": "xếp loại đề nghị", "officer_sentence": "ý kiến",
}  # fmt: skip
MEASURES = {
    "total": "tổng số", "asked": "số đơn vị được giao báo cáo", "agencies": "số đơn vị có số liệu",
    "late": "số đơn vị gửi trễ", "incomplete": "số đơn vị chưa đầy đủ", "target": "chỉ tiêu",
    "target_share": "tỷ lệ so với chỉ tiêu", "previous": "tổng số kỳ trước",
    "previous_agencies": "số đơn vị có số liệu kỳ trước", "comparable": "so sánh được toàn bộ với kỳ trước",
    "same": "tổng số của đơn vị có số liệu cả hai kỳ", "same_previous": "tổng số kỳ trước của các đơn vị đó",
    "same_agencies": "số đơn vị có số liệu cả hai kỳ", "change": "tăng, giảm so với kỳ trước",
    "change_share": "tăng, giảm so với kỳ trước (%)",
}  # fmt: skip
STEP_MEASURES = {"asked": "số đơn vị được nhắc", "answered": "số đơn vị gửi đủ trước mốc kế tiếp"}
_FOLLOWING = ("reporting_rate", "reporting_rate_on_time", "open")  # from other counts
_RATES = ("reporting_rate", "reporting_rate_on_time")
_INSTANTS = ("due_at", "effective_at")
_FIRST_FIELDS = ("status", "grade", "officer_grade")
_PRINTED_FIELDS = ("effective_at", "flags", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedChange:
    """A change in the words of the report: what changed, before and after, and the ids of the events behind it."""

    what: str
    before: str
    after: str
    events: tuple[str, ...]


def build_changes(outline: Outline) -> tuple[Block, ...]:
    """Return the section about what changed; empty where no version was sealed before."""
    since = outline.inputs.changes
    if since is None:
        return ()
    version = f"phiên bản {since.version:02d}"
    sealed = f"{version} chốt lúc {words.write_instant(since.sealed_at, outline.zone)}"
    heading = Heading(level=2, text=f"4. Thay đổi so với {version}")
    if not since.changes:
        return heading, Paragraph(text=f"Số liệu của Báo cáo không thay đổi so với {sealed}.")
    printed = _choose_printed(since.changes, outline)[:ROWS_MAX]
    left = len(since.changes) - len(printed)
    rest = f" {words.count(left)} số liệu khác theo đó thay đổi, có tại {WHERE_ALL_STAND}." if left else ""
    total = words.count(len(since.changes))
    text = f"So với {sealed}, {total} số liệu thay đổi do báo cáo, quyết định hoặc ý kiến nhận sau."
    return (
        heading,
        Paragraph(text=f"{text}{rest}", leads_on=bool(printed)),
        *([_build_table(printed, since, outline)] if printed else ()),
    )


def build_all_changes(since: SealedVersionChanges, outline: Outline) -> Table:
    """Return every figure that changed with the events behind it."""
    title = f"Số liệu thay đổi so với phiên bản {since.version:02d}"
    rows = (
        TableRow(cells=(number, *_list_cells(change, outline, in_full=True), ", ".join(change.events)))
        for number, change in enumerate(since.changes, start=1)
    )
    columns = (*_list_columns(since), Column(name="evidence", title="Mã sự kiện", share=30))
    return Table(name="changes", title=title, columns=columns, rows=tuple(rows))


def describe_changes(outline: Outline, limit: int) -> Iterator[DescribedChange]:
    """Yield at most *limit* changes since the last sealed version: first those that the report prints, in its order."""
    changes = () if outline.inputs.changes is None else outline.inputs.changes.changes
    printed = _choose_printed(changes, outline)
    shown = {change.figure for change in printed}
    for change in [*printed, *(one for one in changes if one.figure not in shown)][:limit]:
        what, before, after = _list_cells(change, outline, in_full=False)
        yield DescribedChange(what=what, before=before, after=after, events=change.events)


def _choose_printed(changes: Iterable[FigureChange], outline: Outline) -> list[FigureChange]:
    """Return the changes that are printed: whose status or grade changed, the counts, the totals, then the rest."""
    order = {one.code: number for number, one in enumerate(outline.list_indicators())}
    ranked = [(rank, change) for change in changes if (rank := _rank(change, order)) is not None]
    return [change for _, change in sorted(ranked, key=lambda one: one[0])]


def _rank(change: FigureChange, order: Mapping[str, int]) -> tuple[int, int, str] | None:
    """Return the place of a change among those that are printed; None where it follows from others."""
    if change.group is not None:
        return None
    if change.agency is None:
        if change.measure == "total":
            return 2, order.get(change.code, len(order)), ""
        return (1, 0, "") if "/duties/" in change.figure and change.code not in _FOLLOWING else None
    if change.code in _FIRST_FIELDS:
        return 0, 0, change.agency
    is_given = _is_indicator(change) and not change.measure
    is_printed = change.code in _PRINTED_FIELDS or is_given or _is_section(change)
    return (3, 0, change.agency) if is_printed else None


def _build_table(printed: Iterable[FigureChange], since: SealedVersionChanges, outline: Outline) -> Table:
    rows = (
        TableRow(cells=(number, *_list_cells(change, outline, in_full=False)))
        for number, change in enumerate(printed, start=1)
    )
    title = f"Số liệu thay đổi so với phiên bản {since.version:02d}"
    return Table(name="changes", title=title, columns=_list_columns(since), rows=tuple(rows), size=10.5)


def _list_columns(since: SealedVersionChanges) -> tuple[Column, ...]:
    return (
        Column(name="number", title="TT", share=6, is_centred=True),
        Column(name="what", title="Số liệu", share=50),
        Column(name="before", title=f"Phiên bản {since.version:02d}", share=22, is_centred=True),
        Column(name="after", title="Báo cáo này", share=22, is_centred=True),
    )


def _list_cells(change: FigureChange, outline: Outline, *, in_full: bool) -> tuple[str, str, str]:
    name = _name_figure(change, outline)
    if _is_section(change) and not in_full:
        # A text is printed whole or not at all, and this is no place for one.
        after = "đã sửa" if change.before and change.after else "đã gửi" if change.after else "đã bỏ"
        return name, "đã gửi" if change.before else UNKNOWN, after
    return name, _write(change, change.before, outline), _write(change, change.after, outline)


def _name_figure(change: FigureChange, outline: Outline) -> str:
    """Return what a figure is of: `UBND huyện Thọ Xuân: Nợ quá hạn`, `Tổng dư nợ`."""
    what = _name_code(change, outline)
    if change.measure not in {"", "total"}:
        measures = STEP_MEASURES if _is_step(change) else MEASURES
        what = f"{what}, {measures.get(change.measure, change.measure)}"
    if change.group is not None:
        names = {group.group: group.name for one in outline.report.chapters for group in one.groups}
        what = f"{what}, nhóm {words.decapitalize(names.get(change.group, change.group))}"
    if change.period not in {None, "-", outline.report.period} and change.period is not None:
        what = f"{what} ({words.decapitalize(words.name_period_briefly(change.period, outline.report.period))})"
    # Where there is one dated report, it goes without saying that it is meant.
    obligation = outline.report.plan.obligation(change.obligation or "")
    titles = {one.obligation.id: one.title for one in outline.chapters}
    if obligation is not None and [*titles] != [obligation.id]:
        what = f"{what} ({words.decapitalize(titles.get(obligation.id, obligation.title.vi).rstrip('. '))})"
    return what if change.agency is None else f"{outline.names.get(change.agency, change.agency)}: {what}"


def _name_code(change: FigureChange, outline: Outline) -> str:
    if _is_indicator(change):
        indicators = {one.code: one.label_in("vi") for one in outline.list_indicators()}
        return indicators.get(change.code, change.code)
    if _is_section(change):
        chapter = next((one for one in outline.chapters if one.obligation.id == change.obligation), None)
        title = change.code if chapter is None else quotations.name_section(change.code, chapter)
        return f"mục “{title}”"
    if _is_step(change):
        return _name_step(change)
    if change.agency is not None:
        return FIELDS.get(change.code, change.code)
    return COUNTS.get(change.code, change.code)


def _name_step(change: FigureChange) -> str:
    kind, _, step = change.code.partition(":")
    return f"mốc “{shortcomings.name_step(StepKind(kind), step)}”"


def _is_step(change: FigureChange) -> bool:
    return "/steps/" in change.figure


def _is_indicator(change: FigureChange) -> bool:
    return "/indicators/" in change.figure


def _is_section(change: FigureChange) -> bool:
    return "/sections/" in change.figure


def _write(change: FigureChange, value: FigureValue, outline: Outline) -> str:
    if value is None:
        return UNKNOWN
    if _is_section(change):
        return str(value)
    if change.measure == "comparable":
        return "có" if value == "yes" else "không"
    if change.code == "status":
        return labels.status_label(Status(str(value)))
    if change.code in _INSTANTS:
        local = datetime.fromisoformat(str(value)).astimezone(outline.zone)
        return f"{local:%H:%M} {vietnamese_locale.format_date(local.date())}"
    if change.code == "flags":
        return "; ".join(labels.flag_label(flag) for flag in str(value).split()) or "không có"
    if change.code == "missing":
        return _write_missing(change, str(value), outline) or "không có"
    return _write_number(change, value)


def _write_missing(change: FigureChange, names: str, outline: Outline) -> str:
    obligation = outline.report.plan.obligation(change.obligation or "")
    if obligation is None:
        return names
    return "; ".join(outline.name_missing_part(name, obligation) for name in names.split())


def _write_number(change: FigureChange, value: int | str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return str(value)
    if change.code in _RATES:
        return vietnamese_locale.format_percent(number)
    # A ratio has six decimals, of which the report prints two.
    is_long = number != number.quantize(HUNDREDTH)
    return words.write_number(number, 2 if is_long and change.unit == "percent" else None)
