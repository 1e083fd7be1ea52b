"""Part III of the report: who reported when, beside the year before, and the cases that need a word."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from schemas.events.assessments import Status
from services.reporting.core import vietnamese_locale
from services.reporting.core.annual_report import Chapter
from services.reporting.core.duty_counts import UNDER_EXTENSION, DutyCounts
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import words
from services.reporting.core.report.blocks import (
    Block,
    Cell,
    CellType,
    Column,
    Heading,
    Paragraph,
    ReportChart,
    Table,
    TableRow,
)
from services.reporting.core.report.outline import ObligationChapter, Outline

# The curve of arrivals shows this many days on either side of the due day, where reports came in them.
CURVE_DAYS = 45
COUNT_COLUMNS = (
    ("expected", "Phải gửi"), ("on_time", "Đúng hạn"), ("late", "Trễ hạn"), ("incomplete", "Chưa đầy đủ"),
    ("overdue", "Chưa gửi"), ("pending", "Chưa đến hạn"),
)  # fmt: skip
RATE_COLUMNS = (("reporting_rate", "Tỷ lệ gửi đủ"), ("reporting_rate_on_time", "Tỷ lệ đúng hạn"))

# The flags that part III speaks of, the status to which a sentence is limited, and what it says of the agencies.
CASES: tuple[tuple[str, Status | None, str], ...] = (
    (UNDER_EXTENSION, None, "được gia hạn"),
    ("nil_return", None, "báo cáo không phát sinh; được tính là đã gửi, không tính vào số đơn vị có số liệu"),
    ("filed_by_successor", None, "do đơn vị kế thừa gửi thay"),
    ("returned_and_corrected", None, "bị trả lại báo cáo và đã sửa trong thời hạn"),
    # What came in time may have been incomplete or returned, and the flag does not say which.
    ("first_sent_on_time", Status.LATE, "gửi bản đầu đúng hạn, hoàn chỉnh sau hạn"),
    ("first_sent_on_time", Status.INCOMPLETE, "gửi bản đầu đúng hạn, đến nay chưa hoàn chỉnh"),
    (
        "needs_reconciliation",
        None,
        "gửi nhiều báo cáo khác nhau; số liệu lấy theo báo cáo gửi sau cùng, ưu tiên báo cáo đầy đủ",
    ),
    ("dispatch_unproven", None, "có thời điểm gửi chưa đủ căn cứ, tính theo thời điểm nhận"),
    ("amended_after_deadline", None, "bổ sung, đính chính sau hạn, không đổi thời điểm gửi"),
    ("voluntary_report", None, "được miễn nhưng vẫn gửi báo cáo"),
)


def build_discipline(outline: Outline) -> tuple[Block, ...]:
    """Return part III."""
    blocks: list[Block] = [Heading(level=1, text="III. CHẤP HÀNH CHẾ ĐỘ BÁO CÁO")]
    several = len(outline.chapters) > 1
    for number, chapter in enumerate(outline.chapters, start=1):
        if several:
            blocks.append(Heading(level=2, text=f"{number}. {chapter.title}"))
        blocks += _build_chapter(chapter, outline)
    if not outline.chapters:
        blocks.append(Paragraph(text="Kỳ này không có báo cáo nào đến hạn."))
    return tuple(blocks)


def _build_chapter(chapter: ObligationChapter, outline: Outline) -> Iterable[Block]:
    before = find_year_before(chapter, outline)
    yield Paragraph(text=_describe(chapter, before, outline), leads_on=True)
    yield _build_period_table(chapter, outline) if chapter.is_periodic else _build_group_table(chapter, outline)
    curve = None if chapter.is_periodic else _build_curve(chapter.periods[0], before, outline)
    if curve is not None:
        yield curve
    cases = list(_list_cases(chapter, outline))
    if cases:
        yield Paragraph(text="Một số trường hợp cần lưu ý:", leads_on=True)
        yield from cases


def find_year_before(chapter: ObligationChapter, outline: Outline) -> Chapter | None:
    """Return the same obligation a year earlier, where the report covers one period and that year had it."""
    earlier = outline.inputs.previous
    if earlier is None or chapter.is_periodic:
        return None
    return next((one for one in earlier.chapters if one.obligation.id == chapter.obligation.id), None)


def _describe(chapter: ObligationChapter, before: Chapter | None, outline: Outline) -> str:
    total = chapter.total
    text = ""
    due_at = None if chapter.is_periodic else chapter.periods[0].due_at
    if due_at is not None:
        text = f"Hạn gửi báo cáo là {words.write_deadline(due_at, outline.zone)}. "
    complete, on_time = _describe_rates(total)
    text += f"Số báo cáo đầy đủ đạt {complete}; đúng hạn {on_time}"
    if before is not None and before.total.expected:
        complete, on_time = _describe_rates(before.total)
        text += f"; {words.name_period(before.period or '')}: đầy đủ {complete}, đúng hạn {on_time}"
    pending = f" Còn {words.count(total.pending)} báo cáo chưa đến hạn." if total.pending else ""
    return f"{text}.{pending}"


def _describe_rates(counts: DutyCounts) -> tuple[str, str]:
    """Return how many reports are complete and how many came in time, each with its share."""
    percent = vietnamese_locale.format_percent
    return (
        f"{words.write_part(counts.actual, counts.expected)} ({percent(counts.reporting_rate)})",
        f"{words.write_part(counts.on_time, counts.expected)} ({percent(counts.reporting_rate_on_time)})",
    )


def _columns(first: str, *, with_pending: bool) -> tuple[Column, ...]:
    counts = [one for one in COUNT_COLUMNS if with_pending or one[0] != "pending"]
    return (
        Column(name="name", title=first, share=28),
        *(
            Column(name=name, title=title, share=9, cell_type=CellType.NUMBER, is_centred=True)
            for name, title in counts
        ),
        *(
            Column(name=name, title=title, share=11, cell_type=CellType.PERCENT, is_centred=True)
            for name, title in RATE_COLUMNS
        ),
    )


def _build_group_table(chapter: ObligationChapter, outline: Outline) -> Table:
    (of_period,) = chapter.periods
    columns = _columns("Nhóm đơn vị", with_pending=bool(chapter.total.pending))
    names = [column.name for column in columns[1:]]
    rows = []
    if len(of_period.groups) > 1:
        for group in of_period.groups:
            path = f"groups/{group.group}/duties"
            rows.append(TableRow(cells=(group.name, *_find_counts(chapter, of_period.period, path, names, outline))))
    total = _find_counts(chapter, of_period.period, "duties", names, outline)
    rows.append(TableRow(cells=("Tổng cộng", *total), is_total=True))
    return Table(
        name="discipline",
        title="Tình hình gửi báo cáo" if len(rows) == 1 else "Tình hình gửi báo cáo theo nhóm đơn vị",
        columns=columns,
        rows=tuple(rows),
        size=10.5,
    )


def _build_period_table(chapter: ObligationChapter, outline: Outline) -> Table:
    columns = _columns("Kỳ báo cáo", with_pending=bool(chapter.total.pending))
    names = [column.name for column in columns[1:]]
    rows = [
        TableRow(
            cells=(
                words.name_period_briefly(one.period or "", outline.report.period),
                *_find_counts(chapter, one.period, "duties", names, outline),
            )
        )
        for one in chapter.periods
    ]
    rows.append(TableRow(cells=("Tổng cộng", *(getattr(chapter.total, name) for name in names)), is_total=True))
    return Table(name="discipline", title="Tình hình gửi báo cáo theo kỳ", columns=columns, rows=tuple(rows), size=10.5)


def _find_counts(
    chapter: ObligationChapter, period: str | None, path: str, names: Sequence[str], outline: Outline
) -> tuple[Cell, ...]:
    return tuple(outline.figure(chapter, period, f"{path}/{name}") for name in names)


def _build_curve(chapter: Chapter, before: Chapter | None, outline: Outline) -> ReportChart | None:
    """Return how many complete reports had come by each day around the due day; None where none came."""
    now = _count_arrivals(chapter, outline)
    earlier = [] if before is None else _count_arrivals(before, outline)
    if chapter.due_at is None or not now:
        return None
    due_on = vietnamese_locale.last_day_on_time(chapter.due_at, outline.zone)
    today = outline.report.as_of.astimezone(outline.zone).date()
    end = min(CURVE_DAYS, max((today - due_on).days, 1))
    begin = max(-CURVE_DAYS, min([-5, *(day for day, _ in now), *(day for day, _ in earlier)]) - 1)
    until = _cut_curve(now, begin, end)
    title = "Số báo cáo đầy đủ đã gửi, cộng dồn theo ngày"
    period = words.name_period(chapter.period or outline.report.period)
    alternative = f"Đường cộng dồn: {period} đạt {chapter.total.on_time} khi hết hạn và {until[-1][1]} vào ngày cuối"
    if before is not None and earlier:
        alternative += f"; {words.name_period(before.period or '')} đạt {before.total.on_time} khi hết hạn"
    marks = [{"day": day, "words": f"{due_on + timedelta(days=day):%d/%m}"} for day in _choose_marks(begin, end)]
    return ReportChart(
        kind="arrivals",
        title=title,
        alternative=f"{alternative}.",
        values={
            "begin": begin,
            "end": end,
            "due": f"hết hạn: hết ngày {due_on:%d/%m}",
            "now": until,
            "now_words": f"{_brief(chapter, outline)}: {chapter.total.actual}/{chapter.total.expected}",
            "before": _cut_curve(earlier, begin, end) if earlier else [],
            "before_words": "" if before is None or not earlier else _describe_earlier(before),
            "top": max(chapter.total.expected, 0 if before is None else before.total.expected, 1),
            "marks": marks,
        },
    )


def _brief(chapter: Chapter, outline: Outline) -> str:
    return words.name_period_briefly(chapter.period or outline.report.period, "")


def _describe_earlier(before: Chapter) -> str:
    return f"{words.name_period_briefly(before.period or '', '')}: {before.total.actual}/{before.total.expected}"


def _count_arrivals(chapter: Chapter, outline: Outline) -> list[tuple[int, int]]:
    """Return the cumulated number of complete reports by day, counted from the last day on time."""
    if chapter.due_at is None:
        return []
    due_on = vietnamese_locale.last_day_on_time(chapter.due_at, outline.zone)
    days = sorted(
        (line.effective_at.astimezone(outline.zone).date() - due_on).days
        for line in chapter.lines
        if line.is_complete and line.effective_at is not None
    )
    # Of several reports on one day the last one counts all of them.
    return list({day: number for number, day in enumerate(days, start=1)}.items())


def _cut_curve(points: Sequence[tuple[int, int]], begin: int, end: int) -> list[tuple[int, int]]:
    """Return the part of a curve between two days; it starts and ends on them."""
    before = [number for day, number in points if day < begin]
    inside = [(day, number) for day, number in points if begin <= day <= end]
    first = (begin, before[-1] if before else 0)
    return [first, *inside, (end, inside[-1][1] if inside else first[1])]


def _choose_marks(begin: int, end: int) -> list[int]:
    """Return about five days to be named under the curve."""
    step = max(1, round((end - begin) / 5))
    return list(range(begin, end + 1, step))


def _list_cases(chapter: ObligationChapter, outline: Outline) -> Iterable[Paragraph]:
    for flag, status, said in CASES:
        lines = [line for line in chapter.lines if flag in line.flags and status in {None, line.status}]
        if lines:
            yield Paragraph(text=_describe_case(said, lines, chapter, outline), is_item=True)
    exempt = [line for line in chapter.lines if line.status is Status.EXEMPT]
    if exempt and chapter.is_periodic:
        yield Paragraph(text=_describe_case("được miễn", exempt, chapter, outline), is_item=True)


def _describe_case(said: str, lines: Sequence[DutyLine], chapter: ObligationChapter, outline: Outline) -> str:
    """Return what is said of the agencies of *lines*, with the decision about each, or its number of periods."""
    notes: dict[str, list[str]] = {}
    for line in lines:
        notes.setdefault(line.agency_name, []).append(_describe_decision(line, outline))
    if len(notes) == 1 and not chapter.is_periodic:
        ((name, (note,)),) = notes.items()
        return f"{name} {said}{f' {note}' if note else ''}."
    described = [
        f"{name} ({note})" if (note := _count_periods(of_agency) if chapter.is_periodic else of_agency[0]) else name
        for name, of_agency in notes.items()
    ]
    return f"{words.count(len(described))} đơn vị {said}: {words.join_names(described, where='Phụ lục II')}."


def _count_periods(notes: Sequence[str]) -> str:
    """Return how many periods are meant where it is more than one, and the decisions about them."""
    several = [f"{words.count(len(notes))} kỳ"] if len(notes) > 1 else []
    return "; ".join([*several, *dict.fromkeys(note for note in notes if note)])


def _describe_decision(line: DutyLine, outline: Outline) -> str:
    """Return until when an extension runs and by which decision; empty where neither is known."""
    decision = outline.cite_decision(line)
    is_extended = UNDER_EXTENSION in line.flags and line.due_on is not None
    due = f"đến hết {words.write_date(line.due_on)}" if is_extended and line.due_on else ""
    return " ".join(part for part in (due, f"theo {decision}" if decision else "") if part)
