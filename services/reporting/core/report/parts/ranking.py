"""The ranking of agencies by one figure, where a ranking means something: `agency_rank` says by which it does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from schemas.events.assessments import Status
from schemas.plan import periods
from services.reporting.core.content import agency_rank
from services.reporting.core.content.agency_rank import RankedAgency
from services.reporting.core.report import words
from services.reporting.core.report.blocks import Cell, CellType, Column, Paragraph, ReportChart, Table, TableRow
from services.reporting.core.report.outline import ObligationChapter, Outline
from services.reporting.core.results import RETURNED, AgencyFigure, IndicatorResult

ROWS_AT_EACH_END = 5
BARS_MAX = 40
BARS_AT_EACH_END = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The agencies of one group in order of one indicator, those without the figure, and a ratio beside it."""

    chapter: ObligationChapter
    result: IndicatorResult
    group_name: str
    agencies: tuple[RankedAgency, ...]
    unknown: tuple[str, ...]
    beside: IndicatorResult | None
    before: Mapping[str, Decimal]  # the same figure of each agency a year earlier, where it compares

    @property
    def is_ratio(self) -> bool:
        """Whether it ranks by a ratio."""
        return self.result.indicator.kind == "ratio"


def find_ranking(chapter: ObligationChapter) -> Ranking | None:
    """Return the ranking of an obligation; None where there is no figure by which a ranking means something."""
    results = chapter.newest_results
    if results is None:
        return None
    ratios = [one for one in results.indicators if one.indicator.kind == "ratio"]
    for result in agency_rank.list_ranking_indicators(results.indicators):
        beside = next((one for one in ratios if one is not result and one.indicator.unit == "percent"), None)
        found = _rank_within_group(chapter, result, beside)
        if found is not None:
            return found
    return None


def _rank_within_group(
    chapter: ObligationChapter, result: IndicatorResult, beside: IndicatorResult | None
) -> Ranking | None:
    """Rank the group of which most agencies gave the figure; None where they are too few to rank."""
    of_period = next(one for one in chapter.periods if one.period == chapter.newest_period)
    group_of = {line.key.agency: line.group for line in of_period.lines}
    names = {group.group: group.name for group in of_period.groups}
    by_group: dict[str, list[AgencyFigure]] = {group: [] for group in names}
    for figure in agency_rank.list_ranked_figures(result):
        if figure.agency in group_of:
            by_group[group_of[figure.agency]].append(figure)
    group, figures = max(by_group.items(), key=lambda item: len(item[1]), default=("", []))
    if len(figures) < agency_rank.AGENCIES_MIN:
        return None
    return Ranking(
        chapter=chapter,
        result=result,
        group_name=names[group],
        agencies=agency_rank.place_figures(figures),
        unknown=tuple(agency for agency in result.not_given if group_of.get(agency) == group),
        beside=beside,
        before=_find_before(result),
    )


def _find_before(result: IndicatorResult) -> dict[str, Decimal]:
    earlier = {} if result.previous is None else result.previous.same.previous_by_agency
    return {agency: value for agency, value in earlier.items() if value is not None}


def describe(ranking: Ranking, outline: Outline) -> Paragraph:
    """Return in words who gave nothing at all to the figure, and whose figure is not known."""
    title = words.decapitalize(ranking.result.indicator.label_in("vi"))
    behind = f"{len(ranking.agencies)}/{len(ranking.agencies) + len(ranking.unknown)}"
    text = f"Xếp theo {title}, có {behind} đơn vị thuộc nhóm {words.decapitalize(ranking.group_name)} có số liệu."
    zero = [outline.names.get(one.figure.agency, "") for one in ranking.agencies if not one.value]
    if zero and ranking.result.indicator.kind == "flow":
        names = words.join_names(zero, where="Phụ lục I")
        text += f" {words.count(len(zero))} đơn vị có số liệu bằng 0: {names}."
    if ranking.unknown:  # part I and the appendix name them
        text += f" {words.count(len(ranking.unknown))} đơn vị chưa có số liệu (Phụ lục I)."
    return Paragraph(text=text, leads_on=True)


def build_table(ranking: Ranking, outline: Outline) -> Table:
    """Return the first and the last of the ranking, or all where they are few."""
    few = len(ranking.agencies) <= 2 * ROWS_AT_EACH_END + 2
    shown = [ranking.agencies] if few else [ranking.agencies[:ROWS_AT_EACH_END], ranking.agencies[-ROWS_AT_EACH_END:]]
    rows: list[TableRow] = []
    for part in shown:
        rows += [TableRow(cells=("…",), is_note=True)] if rows else []
        rows += [TableRow(cells=tuple(_list_cells(one, ranking, outline))) for one in part]
    indicator = ranking.result.indicator
    title = periods.add_period(indicator.label_in("vi"), ranking.chapter.newest_period or outline.report.period)
    return Table(
        name="ranking",
        title=f"Xếp hạng {words.decapitalize(title)}",
        columns=tuple(_list_columns(ranking)),
        rows=tuple(rows),
        unit="" if few else f"{ROWS_AT_EACH_END:02d} đơn vị đầu và {ROWS_AT_EACH_END:02d} đơn vị cuối",
        notes=("Đơn vị có mức bằng nhau xếp cùng hạng. T: gửi trễ hạn; C: chưa đầy đủ; L: bị trả lại, chưa sửa.",),
    )


def _list_columns(ranking: Ranking) -> Iterable[Column]:
    indicator = ranking.result.indicator
    title = f"{indicator.label_in('vi')} ({words.name_unit(indicator.unit)})"
    number, change = CellType.NUMBER, CellType.CHANGE
    if ranking.is_ratio:
        number, change = CellType.RATIO, CellType.RATIO_CHANGE
    yield Column(name="place", title="Hạng", share=8, cell_type=CellType.NUMBER, is_centred=True)
    yield Column(name="agency", title="Đơn vị", share=40)
    yield Column(name="value", title=title, share=20, cell_type=number)
    if ranking.before:
        yield Column(name="change", title="So với năm trước", share=16, cell_type=change)
    if ranking.beside is not None:
        beside = f"{ranking.beside.indicator.label_in('vi')} (%)"
        yield Column(name="beside", title=beside, share=16, cell_type=CellType.RATIO)


def _list_cells(one: RankedAgency, ranking: Ranking, outline: Outline) -> Iterable[Cell]:
    agency = one.figure.agency
    yield one.place
    yield name_with_mark(outline.names.get(agency, agency), one.figure)
    yield one.value
    if ranking.before:
        yield one.value - ranking.before[agency] if agency in ranking.before else None
    if ranking.beside is not None:
        yield _values_beside(ranking).get(agency)


def build_chart(ranking: Ranking, outline: Outline) -> ReportChart:
    """Return the chart of the ranking: a bar an agency, and a dot for the ratio beside it."""
    indicator = ranking.result.indicator
    shown = list(ranking.agencies)
    if len(shown) > BARS_MAX:
        shown = shown[:BARS_AT_EACH_END] + shown[-BARS_AT_EACH_END:]
    beside = _values_beside(ranking)
    bars = [
        {
            "name": name_with_mark(
                words.shorten_name(outline.names.get(one.figure.agency, one.figure.agency)), one.figure
            ),
            "value": float(one.value),
            "words": _write_value(one.value, is_ratio=ranking.is_ratio),
            "before": float(ranking.before[one.figure.agency]) if one.figure.agency in ranking.before else None,
            "beside": float(beside[one.figure.agency]) if one.figure.agency in beside else None,
            "beside_words": _write_value(beside.get(one.figure.agency), is_ratio=True),
        }
        for one in shown
    ]
    title = words.decapitalize(indicator.label_in("vi"))
    highest, lowest = ranking.agencies[0], ranking.agencies[-1]
    return ReportChart(
        kind="ranking",
        title=f"{indicator.label_in('vi')} của từng đơn vị",
        alternative=f"Biểu đồ thanh xếp {len(shown)} đơn vị theo {title}: cao nhất "
        f"{outline.names.get(highest.figure.agency, '')}, thấp nhất {outline.names.get(lowest.figure.agency, '')}; "
        "số liệu đầy đủ tại Phụ lục I.",
        values={
            "bars": bars,
            "value_title": f"{indicator.label_in('vi')} ({words.name_unit(indicator.unit)})",
            "beside_title": "" if ranking.beside is None else f"{ranking.beside.indicator.label_in('vi')} (%)",
            "now": words.name_period(ranking.chapter.newest_period or outline.report.period),
            "before": "" if ranking.result.previous is None else words.name_period(ranking.result.previous.period),
            "cut_after": BARS_AT_EACH_END if len(shown) < len(ranking.agencies) else None,
        },
    )


def name_with_mark(name: str, figure: AgencyFigure | None) -> str:
    """Return the name of an agency with the mark of its figure: T late, C incomplete, L returned."""
    if figure is None:
        return name
    if RETURNED in figure.flags:
        return f"{name} (L)"
    marks = {Status.LATE: " (T)", Status.INCOMPLETE: " (C)"}
    return f"{name}{marks.get(figure.status, '')}"


def _values_beside(ranking: Ranking) -> dict[str, Decimal]:
    figures = () if ranking.beside is None else ranking.beside.figures
    return {one.agency: one.value for one in figures if one.value is not None}


def _write_value(value: Decimal | None, *, is_ratio: bool) -> str:
    if value is None:
        return ""
    return words.write_number(value, 2 if is_ratio else None)
