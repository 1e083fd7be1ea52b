"""The tables of indicators: one period beside the year before, one period by group, all periods side by side."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from schemas.events.assessments import Status
from services.reporting.core import vietnamese_locale
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Cell, CellType, Column, Table, TableRow
from services.reporting.core.report.figures import ReportFigure
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.results import RETURNED, IndicatorResult, ObligationResults, PreviousTotal

NOT_GIVEN = "chưa có số liệu"
CHANGE = "Tăng, giảm"
PERIODS_IN_A_TABLE = 6
GROUPS_IN_A_TABLE = 4


def build_comparison_table(chapter: ObligationChapter, results: ObligationResults, outline: Outline) -> Table:
    """Return every indicator: total, the year before, the change, the share of the target, how many gave it.

    A change is told of the agencies that gave the figure in both years as of the same day (`previous.same`). Where
    these are not all that are summed, they have columns of their own, so that the columns beside a change subtract.
    """
    period = chapter.newest_period or outline.report.period
    columns = _comparison_columns(results, period)
    notes = _Notes()
    rows = []
    for number, result in enumerate(results.indicators, start=1):
        cells = _describe_cells(number, result, chapter=chapter, outline=outline)
        cells |= _compare_cells(result, chapter=chapter, outline=outline, notes=notes)
        ratio = result.indicator.kind == "ratio"
        kept = tuple(cells.get(column.name) for column in columns)
        rows.append(TableRow(cells=kept, types=_ratio_types(columns) if ratio else ()))
    return Table(
        name="indicators",
        title=f"Kết quả thực hiện các chỉ tiêu {words.name_period(period)}",
        columns=columns,
        rows=tuple(rows),
        notes=(*_explain_columns(results), *_count_marks(results), *notes.texts),
        size=9.5 if _compares_fewer(results) else 10.0,
    )


class _Notes:
    """The footnotes of a table; the same text has one number."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def number(self, text: str) -> str:
        """Return the reference to a note, which is added where nobody has it yet."""
        numbered = next((one for one in self.texts if one.partition(" ")[2] == text), None)
        if numbered is None:
            numbered = f"({len(self.texts) + 1}) {text}"
            self.texts.append(numbered)
        return numbered.partition(" ")[0]


def _comparison_columns(results: ObligationResults, period: str) -> tuple[Column, ...]:
    before = results_year_before(results)
    has_target = any(one.target is not None for one in results.indicators)
    target = Column(name="target", title="% chỉ tiêu", share=8, cell_type=CellType.HUNDREDTHS)
    further = (*([target] if has_target else ()), Column(name="agencies", title="Số đơn vị", share=9, is_centred=True))
    now = Column(name="total", title=words.name_period_briefly(period, ""), share=13, cell_type=CellType.NUMBER)
    if before is None:
        return (*_naming_columns(35, 14), now, *further)
    earlier = words.name_period_briefly(before, "")
    if not _compares_fewer(results):
        first = Column(name="before", title=f"{earlier} (cùng đơn vị)", share=13, cell_type=CellType.NUMBER)
        return (*_naming_columns(35, 14), first, now, *_change_columns(CHANGE), *further)
    heading = f"So với {words.name_period(before)}, đơn vị có số liệu cả hai kỳ"
    compared = (
        Column(name="before", title=earlier, share=13, cell_type=CellType.NUMBER, heading=heading),
        Column(name="same", title=now.title, share=13, cell_type=CellType.NUMBER, heading=heading),
        *_change_columns(heading),
        Column(name="same_agencies", title="Số đơn vị", share=7, is_centred=True, heading=heading),
    )
    return (*_naming_columns(28, 11), now, *further, *compared)


def _naming_columns(title_share: float, unit_share: float) -> tuple[Column, ...]:
    return (
        Column(name="number", title="TT", share=5, cell_type=CellType.NUMBER, is_centred=True),
        Column(name="title", title="Chỉ tiêu", share=title_share),
        Column(name="unit", title="Đơn vị tính", share=unit_share, is_centred=True),
    )


def _change_columns(heading: str) -> tuple[Column, ...]:
    return (
        Column(
            name="change",
            title="Số lượng" if heading == CHANGE else CHANGE,
            share=12,
            cell_type=CellType.CHANGE,
            heading=heading,
        ),
        Column(name="percent", title="%", share=8, cell_type=CellType.PERCENT_CHANGE, heading=heading),
    )


def _compares_fewer(results: ObligationResults) -> bool:
    """Whether a change is told of other agencies than those that are summed."""
    return any(one.previous is not None and 0 < one.previous.same.agencies < one.agencies for one in results.indicators)


def results_year_before(results: ObligationResults) -> str | None:
    """Return the period that the results are compared with; None where nobody has reported any figure for it."""
    before = (one.previous for one in results.indicators if one.previous is not None)
    return next((one.period for one in before if one.agencies), None)


def _describe_cells(
    number: int, result: IndicatorResult, *, chapter: ObligationChapter, outline: Outline
) -> dict[str, Cell]:
    """Return what a row says of this year alone."""
    indicator, period = result.indicator, chapter.newest_period
    path = f"indicators/{indicator.code}"
    total = outline.figure(chapter, period, f"{path}/total")
    return {
        "number": number,
        "title": indicator.label_in("vi"),
        "unit": words.name_unit(indicator.unit),
        "total": NOT_GIVEN if total.value is None else total,
        "target": outline.figure(chapter, period, f"{path}/target_share") if indicator.kind != "ratio" else None,
        "agencies": words.write_part(result.agencies, result.asked),
    }


def _compare_cells(
    result: IndicatorResult, *, chapter: ObligationChapter, outline: Outline, notes: _Notes
) -> dict[str, Cell]:
    """Return what a row says of the year before: of the agencies that compare, or why none does."""
    previous, indicator = result.previous, result.indicator
    if previous is None or not previous.agencies or not result.agencies:
        return {}
    if not previous.same.agencies:
        return {"change": notes.number(_explain_not_comparable(result, previous))}

    def find(name: str) -> ReportFigure:
        return outline.figure(chapter, chapter.newest_period, f"indicators/{indicator.code}/{name}")

    share = find("change_share")
    has_share = indicator.kind != "ratio" and isinstance(share.value, Decimal)
    return {
        "before": find("same_previous"),
        "same": find("same"),
        "change": find("change"),
        "percent": share if has_share else None,
        "same_agencies": str(previous.same.agencies),
    }


def _ratio_types(columns: Sequence[Column]) -> tuple[tuple[int, CellType], ...]:
    by_name = dict.fromkeys(("before", "same", "total"), CellType.RATIO) | {"change": CellType.RATIO_CHANGE}
    return tuple((index, by_name[one.name]) for index, one in enumerate(columns) if one.name in by_name)


def _explain_not_comparable(result: IndicatorResult, previous: PreviousTotal) -> str:
    """Return why no figure compares with last year's, and what last year's total was."""
    days = sorted(day for day in result.cut_offs if day is not None)
    now = ", ".join(vietnamese_locale.format_date(day) for day in days) or "không ghi"
    before = words.name_period(previous.period)
    known = (
        ""
        if previous.total is None
        else f"; tổng số {before}: {words.write_amount(previous.total, result.indicator.unit)}"
    )
    return (
        f"Không so sánh được với {before}: không có đơn vị nào báo cáo cả hai kỳ với cùng ngày, tháng chốt số liệu "
        f"(kỳ này chốt ngày {now}{known})."
    )


def _explain_columns(results: ObligationResults) -> Iterable[str]:
    texts = []
    is_compared = results_year_before(results) is not None
    if is_compared:
        texts.append(
            "Số so sánh chỉ gồm các đơn vị có số liệu cả hai kỳ với cùng ngày, tháng chốt; số liệu của đơn vị khác "
            "không so sánh được."
        )
    if is_compared and any(one.indicator.kind == "ratio" for one in results.indicators):
        texts.append("Tăng, giảm của chỉ tiêu tỷ lệ là hiệu của hai tỷ lệ.")
    if any(one.target is not None for one in results.indicators):
        texts.append("% chỉ tiêu tính trên số liệu đã có, chưa gồm đơn vị chưa có số liệu.")
    if texts:
        yield f"Ghi chú: {' '.join(texts)}"


def _count_marks(results: ObligationResults) -> Iterable[str]:
    """Yield how many of the agencies behind the figures were late, incomplete or returned."""
    behind = {one.agency: one for result in results.indicators for one in result.figures}
    counts = {
        "gửi trễ hạn": sum(one.status is Status.LATE for one in behind.values()),
        "chưa đầy đủ": sum(one.status is Status.INCOMPLETE and RETURNED not in one.flags for one in behind.values()),
        "bị trả lại báo cáo, chưa sửa": sum(RETURNED in one.flags for one in behind.values()),
    }
    parts = [f"{words.count(number)} đơn vị {name}" for name, number in counts.items() if number]
    if parts:
        yield f"Trong số liệu có {', '.join(parts)}."


def build_group_table(chapter: ObligationChapter, results: ObligationResults, outline: Outline) -> Table | None:
    """Return the totals by group; None where there is one group, or more than stand on a page."""
    groups = [
        (group.group, group.name)
        for group in chapter.newest.groups
        if any(one.agencies for result in results.indicators for one in result.groups if one.group == group.group)
    ]
    if not 1 < len(groups) <= GROUPS_IN_A_TABLE:
        return None
    columns = [
        Column(name="title", title="Chỉ tiêu", share=36),
        Column(name="unit", title="Đơn vị tính", share=12, is_centred=True),
    ]
    for group, name in groups:
        columns += [
            Column(name=f"{group}.total", title="Tổng số", share=14, cell_type=CellType.NUMBER, heading=name),
            Column(name=f"{group}.agencies", title="Số đơn vị", share=9, cell_type=CellType.NUMBER, heading=name),
        ]
    rows = [_group_row(result, [group for group, _ in groups], chapter, outline) for result in results.indicators]
    period = words.name_period(chapter.newest_period or outline.report.period)
    title = f"Kết quả {period} theo nhóm đơn vị"
    return Table(name="indicators_by_group", title=title, columns=tuple(columns), rows=tuple(rows))


def _group_row(
    result: IndicatorResult, groups: Sequence[str], chapter: ObligationChapter, outline: Outline
) -> TableRow:
    cells: list[Cell] = [result.indicator.label_in("vi"), words.name_unit(result.indicator.unit)]
    is_ratio = result.indicator.kind == "ratio"
    for group in groups:
        path = f"indicators/{result.indicator.code}/groups/{group}"
        total = outline.figure(chapter, chapter.newest_period, f"{path}/total")
        agencies = outline.figure(chapter, chapter.newest_period, f"{path}/agencies")
        cells += [None if total.value is None else total, agencies if agencies.value else None]
    types = tuple((index, CellType.RATIO) for index in range(2, len(cells), 2)) if is_ratio else ()
    return TableRow(cells=tuple(cells), types=types)


def build_series_tables(chapter: ObligationChapter, outline: Outline) -> Iterable[Table]:
    """Yield the totals of all periods side by side, a few periods a table; none where there is only one period."""
    reported = [one for one in chapter.periods if (of := chapter.results.get(one.period)) is not None and of.indicators]
    if len(reported) <= 1:
        return
    for first in range(0, len(reported), PERIODS_IN_A_TABLE):
        shown = [one.period or "" for one in reported[first : first + PERIODS_IN_A_TABLE]]
        columns = [
            Column(name="title", title="Chỉ tiêu", share=30),
            Column(name="unit", title="Đơn vị tính", share=11, is_centred=True),
            *(
                Column(
                    name=period,
                    title=words.name_period_briefly(period, outline.report.period),
                    share=13,
                    cell_type=CellType.NUMBER,
                )
                for period in shown
            ),
        ]
        rows = [
            row for result in _list_indicators(chapter, shown) for row in _series_rows(result, shown, chapter, outline)
        ]
        title = f"Kết quả theo kỳ báo cáo {words.name_period(outline.report.period)}"
        yield Table(name="indicators_by_period", title=title, columns=tuple(columns), rows=tuple(rows), size=9.5)


def _list_indicators(chapter: ObligationChapter, periods: Sequence[str]) -> Iterable[IndicatorResult]:
    found: dict[str, IndicatorResult] = {}
    for period in periods:
        for result in chapter.results[period].indicators:
            found.setdefault(result.indicator.code, result)
    return found.values()


def _series_rows(
    result: IndicatorResult, periods: Sequence[str], chapter: ObligationChapter, outline: Outline
) -> Iterable[TableRow]:
    indicator = result.indicator
    path = f"indicators/{indicator.code}"
    totals = [outline.figure(chapter, period, f"{path}/total") for period in periods]
    types = tuple((index, CellType.RATIO) for index in range(2, 2 + len(periods))) if indicator.kind == "ratio" else ()
    cells: tuple[Cell, ...] = (indicator.label_in("vi"), words.name_unit(indicator.unit), *totals)
    yield TableRow(cells=cells, types=types)
    behind = (
        f"{outline.figure(chapter, period, f'{path}/agencies').value or 0}/"
        f"{outline.figure(chapter, period, f'{path}/asked').value or 0}"
        for period in periods
    )
    yield TableRow(cells=("Số đơn vị có số liệu", None, *behind), is_note=True)
