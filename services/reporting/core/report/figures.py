"""Every figure of a report under an id of its own, with unit, cut-off, formula and the ids of the events behind it.

The id says where the figure comes from and never changes with the wording: the total of an indicator is
`annual-results/2024/indicators/overdue_debt/total`, what one agency gave is
`annual-results/2024/agencies/h-tho-xuan/indicators/overdue_debt`. Documents print figures from here and from nowhere
else; a seal covers all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from schemas.events.assessments import Status, StepKind
from schemas.plan import figures as exact
from services.reporting.core.annual_report import AnnualReport, Chapter
from services.reporting.core.content import agency_rank
from services.reporting.core.duty_counts import NIL_RETURN, UNDER_EXTENSION, DutyCounts
from services.reporting.core.duty_lines import COMPLETE_STATUSES, DutyLine
from services.reporting.core.report import grading
from services.reporting.core.report.inputs import PeriodResults, ReportInputs
from services.reporting.core.results import UNASKED, AgencyFigure, GroupTotal, IndicatorResult, PreviousTotal
from services.reporting.core.results_document import UNKNOWN_CUT_OFF
from services.reporting.core.urging import Urging

FigureValue = Decimal | int | str | None

COUNT_NAMES = (
    "expected", "actual", "on_time", "late", "incomplete", "overdue", "pending",
    "exempt", "superseded", "ended_no_successor", "nil_returns", "under_extension",
)  # fmt: skip
EXPECTED_FORMULA = "on_time + late + incomplete + overdue + pending"
RATE_FORMULAS = {"reporting_rate": "actual / expected", "reporting_rate_on_time": "on_time / expected"}
SHARE_FORMULA = "total * 100 / target"
COUNT_FORMULA = "count({})"
CHANGE_FORMULA = "same - same_previous"
CHANGE_SHARE_FORMULA = "(same - same_previous) * 100 / same_previous"
SIX_PLACES = Decimal("0.000001")
NO_PERIOD = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFigure:
    """One figure; `cut_offs` are the days as of which it was given, `evidence` the ids of the events behind it.

    A figure that others of the report give has a formula in place of evidence: their names in it, as in `same`, are the
    last parts of their ids, and `count(same)` is how many agencies are behind that one.
    """

    id: str
    value: FigureValue
    unit: str = ""
    cut_offs: tuple[str, ...] = ()
    formula: str = ""
    evidence: tuple[str, ...] = ()


def chapter_path(obligation: str, period: str | None) -> str:
    """Return the beginning of the ids of an obligation's figures for a period."""
    return f"{obligation}/{period or NO_PERIOD}"


def collect_figures(inputs: ReportInputs) -> dict[str, ReportFigure]:
    """Return all figures of the report by id."""
    figures = [*_collect_duties(inputs.report), *_collect_undated(inputs.report)]
    for one in inputs.results:
        figures += _collect_results(one)
    figures += _collect_grades(inputs)
    return {figure.id: figure for figure in figures}


def build_figures_document(inputs: ReportInputs) -> dict[str, Any]:
    """Return the figures of a report as plain JSON values: the question, the documents it rests on, all figures.

    The same question about the same facts gives the same values, whoever renders it, when and in which language.
    Decimals are texts in plain notation, so RFC 8785 writes every value in one way only.
    """
    report, registry = inputs.report, inputs.registry.registry
    return {
        "plan": report.plan.plan,
        "plan_version": report.plan.version,
        "registry": registry.registry,
        "registry_version": registry.version,
        "period": report.period,
        "as_of": report.as_of.isoformat(),
        "known_at": report.known_at.isoformat(),
        "figures": {one.id: render_figure(one) for one in collect_figures(inputs).values()},
    }


def known_total(result: IndicatorResult) -> Decimal | None:
    """Return the total; None where nobody gave the figure, for a sum over nobody is unknown and not zero."""
    return result.total if result.agencies or result.indicator.kind == "ratio" else None


def render_figure(figure: ReportFigure) -> dict[str, Any]:
    """Return one figure as plain JSON values; what it does not have is left out, but for its value."""
    value = exact.write_plainly(figure.value) if isinstance(figure.value, Decimal) else figure.value
    further = {
        "unit": figure.unit,
        "cut_offs": list(figure.cut_offs),
        "formula": figure.formula,
        "evidence": list(figure.evidence),
    }
    return {"value": value, **{name: one for name, one in further.items() if one}}


def _collect_duties(report: AnnualReport) -> Iterable[ReportFigure]:
    for chapter in report.chapters:
        path = chapter_path(chapter.obligation.id, chapter.period)
        yield from _collect_counts(path, chapter.total, chapter.lines)
        for group in chapter.groups:
            members = [line for line in chapter.lines if line.group == group.group]
            yield from _collect_counts(f"{path}/groups/{group.group}", group.counts, members)
        yield from _collect_lines(path, chapter)


def _collect_counts(path: str, counts: DutyCounts, lines: Iterable[DutyLine]) -> Iterable[ReportFigure]:
    lines = list(lines)
    for name in COUNT_NAMES:
        evidence = dict.fromkeys(one for line in lines if _counts_under(line, name) for one in line.evidence)
        formula = EXPECTED_FORMULA if name == "expected" else ""
        yield ReportFigure(
            id=f"{path}/duties/{name}", value=getattr(counts, name), formula=formula, evidence=tuple(evidence)
        )
    for name, formula in RATE_FORMULAS.items():
        rate: Decimal | None = getattr(counts, name)
        value = None if rate is None else rate.quantize(SIX_PLACES, ROUND_HALF_EVEN)
        yield ReportFigure(id=f"{path}/duties/{name}", value=value, formula=formula)


def _counts_under(line: DutyLine, name: str) -> bool:
    match name:
        case "actual":
            return line.status in COMPLETE_STATUSES
        case "nil_returns":
            return line.status in COMPLETE_STATUSES and NIL_RETURN in line.flags
        case "under_extension":
            return UNDER_EXTENSION in line.flags
        case _:
            return line.status.value == name


def _collect_lines(path: str, chapter: Chapter) -> Iterable[ReportFigure]:
    for line in chapter.lines:
        values: Mapping[str, FigureValue] = {
            "status": line.status.value,
            "due_at": None if line.due_at is None else line.due_at.isoformat(),
            "effective_at": None if line.effective_at is None else line.effective_at.isoformat(),
            "days_late": line.days_late,
            "submissions": line.submissions,
            "flags": " ".join(line.flags),
            "missing": " ".join(line.missing),
        }
        of_agency = f"{path}/agencies/{line.key.agency}"
        for name, value in values.items():
            yield ReportFigure(id=f"{of_agency}/{name}", value=value, evidence=line.evidence)
        yield from _collect_alerts(of_agency, line.urging, chapter.list_alerts(line.key))
    for step in chapter.steps:
        of_step = f"{path}/steps/{step.kind.value}:{step.step}"
        yield ReportFigure(id=f"{of_step}/asked", value=step.asked, evidence=step.evidence)
        yield ReportFigure(id=f"{of_step}/answered", value=step.answered, evidence=step.answering)


def _collect_alerts(path: str, urged: Urging, sent: Mapping[StepKind, tuple[str, ...]]) -> Iterable[ReportFigure]:
    """Yield how often an agency was alerted; what is behind it are the events of the deliveries."""
    about_due = (*sent.get(StepKind.URGING, ()), *sent.get(StepKind.INCOMPLETE, ()))
    for name, value, evidence in (
        ("reminders", urged.reminders, sent.get(StepKind.REMINDER, ())),
        ("urgings", urged.urgings + urged.about_incomplete, about_due),
        ("escalations", urged.escalations, sent.get(StepKind.ESCALATION, ())),
    ):
        yield ReportFigure(id=f"{path}/{name}", value=value, evidence=evidence)


def _collect_undated(report: AnnualReport) -> Iterable[ReportFigure]:
    for one in report.undated:
        path = chapter_path(one.obligation, one.period)
        yield ReportFigure(id=f"{path}/duties/fulfilled", value=one.fulfilled, evidence=one.evidence)
        yield ReportFigure(id=f"{path}/duties/open", value=one.open)


def _collect_results(of_period: PeriodResults) -> Iterable[ReportFigure]:
    path = chapter_path(of_period.results.obligation, of_period.period)
    ranking = {one.indicator.code for one in agency_rank.list_ranking_indicators(of_period.results.indicators)}
    for result in of_period.results.indicators:
        yield from _collect_indicator(f"{path}/indicators/{result.indicator.code}", result)
        for figure in result.figures:
            figure_id = f"{path}/agencies/{figure.agency}/indicators/{result.indicator.code}"
            yield _collect_given(figure_id, figure, result)
            if result.indicator.code in ranking:
                yield from _collect_earlier(figure_id, figure, result)
    for section, texts in of_period.results.sections.items():
        for text in texts:
            figure_id = f"{path}/agencies/{text.agency}/sections/{section}"
            yield ReportFigure(id=figure_id, value=text.text, evidence=(text.id,))


def _collect_indicator(path: str, result: IndicatorResult) -> Iterable[ReportFigure]:
    unit, formula = result.indicator.unit or "", result.indicator.formula or ""
    summed = [one for one in result.figures if UNASKED not in one.flags and one.status is not Status.EXEMPT]
    total = known_total(result)
    yield ReportFigure(
        id=f"{path}/total",
        value=total,
        unit=unit,
        cut_offs=_write_cut_offs(result.basis.cut_offs),
        formula=formula,
        evidence=result.basis.evidence,
    )
    yield ReportFigure(id=f"{path}/asked", value=result.asked)
    yield ReportFigure(id=f"{path}/agencies", value=result.agencies, formula=COUNT_FORMULA.format("total"))
    for status, number in ((Status.LATE, result.late), (Status.INCOMPLETE, result.incomplete)):
        evidence = tuple(one.id for one in summed if one.status is status)
        yield ReportFigure(id=f"{path}/{status.value}", value=number, evidence=evidence)
    yield ReportFigure(id=f"{path}/target", value=result.target, unit=unit)
    share = _share(total, result.target)
    yield ReportFigure(id=f"{path}/target_share", value=share, unit="percent", formula=SHARE_FORMULA)
    for group in result.groups:
        yield from _collect_group(f"{path}/groups/{group.group}", group, result)
    if result.previous is not None:
        yield from _collect_previous(path, result.previous, result)


def _collect_group(path: str, group: GroupTotal, result: IndicatorResult) -> Iterable[ReportFigure]:
    yield ReportFigure(
        id=f"{path}/total",
        value=group.total if group.agencies else None,
        unit=result.indicator.unit or "",
        cut_offs=_write_cut_offs(group.basis.cut_offs),
        formula=result.indicator.formula or "",
        evidence=group.basis.evidence,
    )
    yield ReportFigure(id=f"{path}/agencies", value=group.agencies, formula=COUNT_FORMULA.format("total"))


def _collect_previous(path: str, previous: PreviousTotal, result: IndicatorResult) -> Iterable[ReportFigure]:
    unit, formula = result.indicator.unit or "", result.indicator.formula or ""
    same = previous.same
    now, before = (same.total, same.previous) if same.agencies else (None, None)
    for name, total, basis in (
        ("previous", previous.total if previous.agencies else None, previous.basis),
        ("same", now, same.basis),
        ("same_previous", before, same.previous_basis),
    ):
        yield ReportFigure(
            id=f"{path}/{name}",
            value=total,
            unit=unit,
            cut_offs=_write_cut_offs(basis.cut_offs),
            formula=formula,
            evidence=basis.evidence,
        )
    for name, number, counted in (
        ("previous_agencies", previous.agencies, "previous"),
        ("same_agencies", same.agencies, "same"),
    ):
        yield ReportFigure(id=f"{path}/{name}", value=number, formula=COUNT_FORMULA.format(counted))
    yield ReportFigure(id=f"{path}/comparable", value="yes" if previous.is_comparable else "no")
    change = None if now is None or before is None else exact.add_exactly((now, -before))
    yield ReportFigure(id=f"{path}/change", value=change, unit=unit, formula=CHANGE_FORMULA)
    share = _share(change, before)
    yield ReportFigure(id=f"{path}/change_share", value=share, unit="percent", formula=CHANGE_SHARE_FORMULA)


def _collect_earlier(path: str, figure: AgencyFigure, result: IndicatorResult) -> Iterable[ReportFigure]:
    """Yield what an agency that a ranking may show gave the year before, and the change since, where they compare."""
    same = None if result.previous is None else result.previous.same
    before = None if same is None else same.previous_by_agency.get(figure.agency)
    if same is None or before is None:
        return
    unit, basis = result.indicator.unit or "", same.basis_of(figure.agency)
    yield ReportFigure(
        id=f"{path}/previous",
        value=before,
        unit=unit,
        cut_offs=_write_cut_offs(basis.cut_offs),
        formula=result.indicator.formula or "",
        evidence=basis.evidence,
    )
    change = None if figure.value is None else exact.add_exactly((figure.value, -before))
    yield ReportFigure(id=f"{path}/change", value=change, unit=unit, formula=f"{result.indicator.code} - previous")


def _collect_given(figure_id: str, figure: AgencyFigure, result: IndicatorResult) -> ReportFigure:
    return ReportFigure(
        id=figure_id,
        value=figure.value,
        unit=result.indicator.unit or "",
        cut_offs=(_write_cut_off(figure.cut_off),),
        formula=result.indicator.formula or "",
        evidence=(figure.id,),
    )


def _collect_grades(inputs: ReportInputs) -> Iterable[ReportFigure]:
    """Yield the grade of each agency: its formula is the condition of the plan, its evidence that of the duty."""
    graded_by = grading.choose_graded_chapter(inputs.report)
    evidence = {} if graded_by is None else {line.key.agency: line.evidence for line in graded_by.lines}
    conditions: dict[str, list[str]] = {}
    for rule in inputs.report.plan.grading:
        conditions.setdefault(rule.grade, []).append(rule.when)
    for graded in inputs.evaluations:
        path = f"evaluations/{graded.agency}"
        formula = " || ".join(conditions.get(graded.grade, ()))
        yield ReportFigure(
            id=f"{path}/grade", value=graded.grade, formula=formula, evidence=evidence.get(graded.agency, ())
        )
        if graded.officer_grade is not None:
            of_officer = (graded.officer_event,)
            yield ReportFigure(id=f"{path}/officer_grade", value=graded.officer_grade, evidence=of_officer)
            yield ReportFigure(id=f"{path}/officer_sentence", value=graded.officer_sentence, evidence=of_officer)


def _write_cut_offs(days: Iterable[date | None]) -> tuple[str, ...]:
    return tuple(sorted(_write_cut_off(day) for day in days))


def _write_cut_off(day: date | None) -> str:
    return UNKNOWN_CUT_OFF if day is None else day.isoformat()


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """Return *part* of *whole* in percent, rounded once to six decimals; None where there is no whole."""
    if part is None or not whole:
        return None
    return exact.parse_formula("part * 100 / whole").work_out({"part": part, "whole": whole})
