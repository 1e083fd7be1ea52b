"""The appendices of the report: I the figures of each agency, II when each reported, III the duties without a date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from schemas.events.assessments import Status
from services.reporting.core import labels
from services.reporting.core.annual_report import Chapter
from services.reporting.core.duty_counts import EXCLUDED_STATUSES, NIL_RETURN
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.report import letterhead, words
from services.reporting.core.report.blocks import (
    COLUMNS_UPRIGHT,
    Appendix,
    Block,
    Cell,
    CellType,
    Column,
    Paragraph,
    Table,
    TableRow,
)
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.report.parts import ranking, shortcomings
from services.reporting.core.results import AgencyFigure, IndicatorResult

INDICATORS_IN_A_TABLE = 10  # beside each other on a landscape page, with room for 12.295.651 in bold
NOT_GIVEN = "–"
MARKS = (
    "T: gửi trễ hạn. C: chưa đầy đủ. L: báo cáo bị trả lại, chưa sửa. –: chưa có số liệu. Số 0 là số đơn vị báo cáo."
)
PROOFS = {
    "none": "Thời điểm nhận",
    "postmark": "Dấu bưu điện",
    "exchange-log": "Nhật ký trục liên thông",
    "mail-gateway": "Cổng thư điện tử",
}
# What the grid of a periodic obligation says in a cell.
GRID_SIGNS = {
    Status.ON_TIME: "Đ", Status.LATE: "T", Status.INCOMPLETE: "C", Status.OVERDUE: "K", Status.PENDING: "",
    Status.EXEMPT: "M", Status.SUPERSEDED: "S", Status.ENDED_NO_SUCCESSOR: "X",
}  # fmt: skip
GRID_LEGEND = (
    "Đ: đúng hạn. T: trễ hạn, kèm số ngày trễ. C: chưa đầy đủ. K: quá hạn chưa gửi. M: được miễn. S: có đơn vị kế "
    "thừa. X: đã chấm dứt hoạt động. Ô trống: chưa đến hạn hoặc không phải gửi."
)
NO_FIGURES = "Các báo cáo theo {plan} không có chỉ tiêu số liệu."
PRINTED_FLAGS = (
    "nil_return", "under_extension", "returned_and_corrected", "duplicate", "needs_reconciliation", "withdrawn",
    "voluntary_report", "filed_by_successor", "amended_after_deadline", "first_sent_on_time",
)  # fmt: skip


def build_appendices(outline: Outline) -> tuple[Appendix, ...]:
    """Return the three appendices; one without content says so and keeps its number."""
    period = words.name_period(outline.report.period).upper()
    figures = [block for chapter in outline.chapters for block in _build_figures(chapter, outline)]
    statuses = [block for chapter in outline.chapters for block in _build_statuses(chapter, outline)]
    return (
        Appendix(
            number="I",
            title=f"SỐ LIỆU CHỈ TIÊU {period} THEO TỪNG ĐƠN VỊ",
            blocks=_end_with_sign(figures or [Paragraph(text=NO_FIGURES.format(plan=outline.plan_name))]),
        ),
        Appendix(
            number="II",
            title=f"TÌNH HÌNH GỬI BÁO CÁO {period} THEO TỪNG ĐƠN VỊ",
            blocks=_end_with_sign(statuses or [Paragraph(text="Kỳ này không có báo cáo nào đến hạn.")]),
        ),
        Appendix(
            number="III",
            title="NHIỆM VỤ KHÔNG QUY ĐỊNH THỜI HẠN ĐÃ GHI NHẬN KẾT QUẢ",
            blocks=_end_with_sign([*_build_undated(outline)]),
        ),
    )


def _end_with_sign(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Put `./.` after the last words, as after those of the report (Decree 30/2020, Appendix III, form 2.1)."""
    *before, last = blocks
    match last:
        case Paragraph():
            return (*before, replace(last, text=f"{last.text.rstrip('.')}./."))
        case Table(notes=(*notes, final)):
            return (*before, replace(last, notes=(*notes, f"{final.rstrip('.')}./.")))
        case Table():
            return (*before, replace(last, notes=("./.",)))
        case _:
            return tuple(blocks)


def _build_figures(chapter: ObligationChapter, outline: Outline) -> Iterable[Table]:
    """Yield a table of figures for each group, and more where its indicators do not fit beside each other."""
    results = chapter.newest_results
    if results is None or not results.indicators:
        return
    of_period = next(one for one in chapter.periods if one.period == chapter.newest_period)
    for group in of_period.groups:
        lines = [line for line in of_period.lines if line.group == group.group]
        agencies = {line.key.agency for line in lines}
        asked = [one for one in results.indicators if _concerns(one, agencies)]
        parts = _split_evenly(asked, INDICATORS_IN_A_TABLE)
        for number, part in enumerate(parts, start=1):
            of = f" ({number}/{len(parts)})" if len(parts) > 1 else ""
            title = f"{_title_figures(group.name, chapter, outline)}{of}"
            yield _build_figure_table(title, lines, part, chapter=chapter, outline=outline)


def _split_evenly(results: Sequence[IndicatorResult], most: int) -> list[Sequence[IndicatorResult]]:
    """Return *results* in parts of at most *most*, none of which is much shorter than the others."""
    count = -(-len(results) // most)
    size = -(-len(results) // count) if count else 0
    return [results[first : first + size] for first in range(0, len(results), size or 1)]


def _concerns(result: IndicatorResult, agencies: set[str]) -> bool:
    return any(agency in agencies for agency in (*result.not_given, *(one.agency for one in result.figures)))


def _title_figures(group: str, chapter: ObligationChapter, outline: Outline) -> str:
    of = f", {words.decapitalize(chapter.title)}" if len(outline.chapters) > 1 else ""
    when = f", {words.name_period(chapter.newest_period or '')}" if chapter.is_periodic else ""
    return f"{group}{of}{when}"


def _build_figure_table(
    title: str,
    lines: Sequence[DutyLine],
    part: Sequence[IndicatorResult],
    *,
    chapter: ObligationChapter,
    outline: Outline,
) -> Table:
    columns = [
        Column(name="number", title="TT", share=4, cell_type=CellType.NUMBER, is_centred=True),
        Column(name="agency", title="Đơn vị", share=22 if len(part) + 2 > COLUMNS_UPRIGHT else 32),
        *(_figure_column(one, len(part)) for one in part),
    ]
    figures = {one.indicator.code: {figure.agency: figure for figure in one.figures} for one in part}
    given = {agency for by_agency in figures.values() for agency in by_agency}
    # Whose figures an heir gives stands here as the heir.
    listed = [one for one in lines if one.status is not Status.SUPERSEDED or one.key.agency in given]
    rows = [_figure_row(number, line, part, figures, outline) for number, line in enumerate(listed, start=1)]
    rows += _total_rows(lines[0].group, part, chapter, outline)
    left = len(lines) - len(listed)
    inherited = (
        (f"{words.count(left)} đơn vị đã có đơn vị kế thừa, không nêu tại bảng này (Phụ lục II).",) if left else ()
    )
    notes = (MARKS, *inherited)
    return Table(name="figures", title=title, columns=tuple(columns), rows=tuple(rows), notes=notes, size=9.0)


def _figure_column(result: IndicatorResult, beside: int) -> Column:
    indicator = result.indicator
    unit = words.name_unit(indicator.unit)
    return Column(
        name=indicator.code,
        title=f"{indicator.label_in('vi')}{f' ({unit})' if unit else ''}",
        share=min(20, 74 / beside),
        cell_type=CellType.RATIO if indicator.kind == "ratio" else CellType.NUMBER,
    )


def _figure_row(
    number: int,
    line: DutyLine,
    part: Sequence[IndicatorResult],
    figures: Mapping[str, Mapping[str, AgencyFigure]],
    outline: Outline,
) -> TableRow:
    given = [figures[one.indicator.code].get(line.key.agency) for one in part]
    first = next((one for one in given if one is not None), None)
    name = ranking.name_with_mark(line.agency_name, first)
    if first is None:
        return TableRow(cells=(number, name, describe_absence(line)))
    path = f"{line.key.obligation}/{line.key.period or '-'}/agencies/{line.key.agency}/indicators"
    cells: list[Cell] = []
    for result, figure in zip(part, given, strict=True):
        is_asked = line.key.agency in result.not_given
        missing = NOT_GIVEN if is_asked else None
        cells.append(missing if figure is None else outline.figures[f"{path}/{result.indicator.code}"])
    return TableRow(cells=(number, name, *cells))


def describe_absence(line: DutyLine) -> str:
    """Return why an agency has no figure: exempt, ended, nothing to report, or simply not given."""
    if line.status is Status.EXEMPT:
        return "được miễn báo cáo"
    if line.status in EXCLUDED_STATUSES:
        return words.decapitalize(labels.status_label(line.status))
    if NIL_RETURN in line.flags and line.submissions:
        return "không phát sinh"
    return "chưa có số liệu"


def _total_rows(
    group: str, part: Sequence[IndicatorResult], chapter: ObligationChapter, outline: Outline
) -> Iterable[TableRow]:
    paths = [f"indicators/{one.indicator.code}/groups/{group}" for one in part]
    totals = [outline.figure(chapter, chapter.newest_period, f"{path}/total") for path in paths]
    behind = [outline.figure(chapter, chapter.newest_period, f"{path}/agencies") for path in paths]
    if all(total.value is None for total in totals):
        return
    yield TableRow(cells=(None, "Cộng", *totals), is_total=True)
    types = tuple((index, CellType.NUMBER) for index in range(2, 2 + len(part)))
    yield TableRow(cells=(None, "Số đơn vị có số liệu", *behind), is_note=True, types=types)


def _build_statuses(chapter: ObligationChapter, outline: Outline) -> Iterable[Table]:
    title = chapter.title if len(outline.chapters) > 1 else ""
    if chapter.is_periodic:
        yield _build_grid(title, chapter, outline)
    else:
        yield _build_status_table(title, chapter, outline)


def _build_status_table(title: str, chapter: ObligationChapter, outline: Outline) -> Table:
    (of_period,) = chapter.periods
    rows = [_status_row(number, line, chapter, outline) for number, line in enumerate(of_period.lines, start=1)]
    deadline = words.write_deadline(of_period.due_at, outline.zone) if of_period.due_at else ""
    note = (
        f"{f'Hạn gửi: {deadline}. ' if deadline else ''}Số ngày trễ của đơn vị chưa gửi, chưa đầy đủ tính đến ngày "
        "tổng hợp. “Nhắc trước hạn”, “Đôn đốc”: số lượt gửi đến đơn vị."
    )
    return Table(
        name="statuses",
        title=title,
        columns=(
            Column(name="number", title="TT", share=4, cell_type=CellType.NUMBER, is_centred=True),
            Column(name="agency", title="Đơn vị", share=24),
            Column(name="document", title="Số, ký hiệu", share=17),
            Column(name="issued_on", title="Ngày văn bản", share=9, cell_type=CellType.DATE, is_centred=True),
            Column(name="received_at", title="Thời điểm gửi", share=15, cell_type=CellType.INSTANT, is_centred=True),
            Column(name="proof", title="Căn cứ xác định", share=15),
            Column(name="status", title="Tình trạng", share=11, is_centred=True),
            Column(name="days_late", title="Số ngày trễ", share=6, cell_type=CellType.NUMBER, is_centred=True),
            Column(name="reminders", title="Nhắc trước hạn", share=6, cell_type=CellType.NUMBER, is_centred=True),
            Column(name="urgings", title="Đôn đốc", share=6, cell_type=CellType.NUMBER, is_centred=True),
            Column(name="notes", title="Ghi chú", share=20),
        ),
        rows=tuple(insert_group_headings(rows, of_period.lines)),
        notes=(note,),
        size=9.0,
    )


def _status_row(number: int, line: DutyLine, chapter: ObligationChapter, outline: Outline) -> TableRow:
    document = outline.inputs.documents.get(line.key)
    has_sent = line.effective_at is not None
    return TableRow(
        cells=(
            number,
            line.agency_name,
            document.number if document else None,
            document.issued_on if document else None,
            line.effective_at,
            PROOFS.get(document.proof, document.proof) if document and has_sent else None,
            name_status(line),
            line.days_late,
            line.urging.reminders,
            line.urging.urgings + line.urging.about_incomplete,
            "; ".join(_list_notes(line, chapter, outline)),
        )
    )


def name_status(line: DutyLine) -> str:
    """Return the status as the report says it: what is overdue was not sent."""
    return "Chưa gửi" if line.status is Status.OVERDUE else labels.status_label(line.status)


def _list_notes(line: DutyLine, chapter: ObligationChapter, outline: Outline) -> Iterable[str]:
    missing = shortcomings.describe_missing(line, chapter, outline)
    yield from [missing] if missing else []
    yield from (f"{name} kế thừa" for name in line.successors)
    yield from (labels.flag_label(flag) for flag in PRINTED_FLAGS if flag in line.flags)
    decision = outline.inputs.decisions.get(line.key)
    yield from [letterhead.cite_decision_briefly(decision)] if decision is not None else []
    if not line.urging.occasions and (unsent := labels.describe_unsent(line.urging)):
        yield unsent


def insert_group_headings(rows: Iterable[TableRow], lines: Iterable[DutyLine]) -> Iterable[TableRow]:
    """Yield *rows*, one a line, with the name of the group above its first one; a single group needs none."""
    lines = list(lines)
    several = len({line.group for line in lines}) > 1
    group = None
    for row, line in zip(rows, lines, strict=True):
        if several and line.group != group:
            group = line.group
            yield TableRow(cells=(line.group_name,), is_heading=True)
        yield row


def _build_grid(title: str, chapter: ObligationChapter, outline: Outline) -> Table:
    """Return one line an agency and one column a period."""
    by_agency: dict[str, dict[str | None, DutyLine]] = {}
    for of_period in chapter.periods:
        for line in of_period.lines:
            by_agency.setdefault(line.key.agency, {})[of_period.period] = line
    lines = [next(iter(found.values())) for found in by_agency.values()]
    # An agency that joins in a later period stands with its own group, too.
    ordered = sorted(zip(lines, by_agency.values(), strict=True), key=lambda one: _group_rank(one[0], chapter))
    rows = [
        TableRow(cells=(number, line.agency_name, *_grid_cells(found, chapter.periods)))
        for number, (line, found) in enumerate(ordered, start=1)
    ]
    width = 68 / len(chapter.periods)
    return Table(
        name="statuses",
        title=title,
        columns=(
            Column(name="number", title="TT", share=5, cell_type=CellType.NUMBER, is_centred=True),
            Column(name="agency", title="Đơn vị", share=27),
            *(
                Column(
                    name=one.period or "",
                    title=words.name_period_briefly(one.period or "", outline.report.period),
                    share=width,
                    is_centred=True,
                )
                for one in chapter.periods
            ),
        ),
        rows=tuple(insert_group_headings(rows, [line for line, _ in ordered])),
        notes=(GRID_LEGEND,),
        size=9.0,
    )


def _group_rank(line: DutyLine, chapter: ObligationChapter) -> int:
    groups = [group.group for one in chapter.periods for group in one.groups]
    return list(dict.fromkeys(groups)).index(line.group)


def _grid_cells(found: Mapping[str | None, DutyLine], periods: Iterable[Chapter]) -> Iterable[str]:
    for of_period in periods:
        line = found.get(of_period.period)
        if line is None:
            yield ""
        elif line.status is Status.LATE and line.days_late:
            yield f"{GRID_SIGNS[line.status]} {line.days_late}"
        else:
            yield GRID_SIGNS.get(line.status, "")


def _build_undated(outline: Outline) -> Iterable[Block]:
    recorded = [one for one in outline.report.undated if one.fulfilled]
    if recorded:
        yield Table(
            name="undated",
            title="",
            columns=(
                Column(name="number", title="TT", share=7, cell_type=CellType.NUMBER, is_centred=True),
                Column(name="title", title="Nhiệm vụ", share=50),
                Column(name="clause", title="Mục", share=13, is_centred=True),
                Column(
                    name="agencies", title="Số đơn vị được giao", share=15, cell_type=CellType.NUMBER, is_centred=True
                ),
                Column(
                    name="fulfilled", title="Đã ghi nhận kết quả", share=15, cell_type=CellType.NUMBER, is_centred=True
                ),
            ),
            rows=tuple(
                TableRow(cells=(number, one.title, one.clause, one.fulfilled + one.open, one.fulfilled))
                for number, one in enumerate(recorded, start=1)
            ),
            size=11.0,
        )
    rest = len(outline.report.undated) - len(recorded)
    brief = letterhead.cite_briefly(outline.report.plan)
    if rest:
        other = "còn giao" if recorded else "giao"
        more = "nhiệm vụ khác" if recorded else "nhiệm vụ"
        yield Paragraph(
            text=f"{brief} {other} {words.count(rest)} {more} không quy định thời hạn, chưa có kết quả được ghi nhận "
            "riêng; chưa ghi nhận không có nghĩa là chưa thực hiện. Danh mục đầy đủ có trong tệp số liệu kèm theo "
            "Báo cáo."
        )
    elif not recorded:
        yield Paragraph(text=f"{brief} không giao nhiệm vụ nào không quy định thời hạn.")
