"""Compares what reporting answers about a season with what must come of it: every duty, figure and text.

The fold of the figures is written down here by hand, because reporting is what is checked against it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import httpx

from schemas.events.assessments import Status
from services.console.demo.any_plan.reports import Outcome
from services.console.demo.scenario import ScenarioComparison

PAGE_LIMIT = 1_000
_MISSING = "nothing"
_NOT_OWED = frozenset({Status.SUPERSEDED.value, Status.NOT_APPLICABLE.value, Status.ENDED_NO_SUCCESSOR.value})

Answers = Mapping[str, object]


def compare_season(
    reporting: httpx.Client, plan: str, outcomes: Sequence[Outcome], *, ends_on: date
) -> ScenarioComparison:
    """Compare duties and consolidated results of each period of *outcomes* with what *reporting* answers."""
    wanted_duties = {
        f"{name}: {'/'.join(one.duty.name)}": value
        for one in outcomes
        for name, value in describe_outcome(one, ends_on).items()
    }
    periods = sorted({one.duty.period.text for one in outcomes})
    found_duties: dict[str, object] = {}
    results: dict[str, Mapping[str, Any]] = {}
    for period in periods:
        found_duties |= _read_duties(reporting, {"plan": plan, "period": period})
        answer = reporting.get(f"/v1/plans/{plan}/periods/{period}/results")
        answer.raise_for_status()
        results[period] = answer.json()
    wanted_results, found_results = dict(list_results(outcomes)), dict(read_results(results))
    duty_differences = tuple(_list_differences(wanted_duties, found_duties))
    result_differences = tuple(_list_differences(wanted_results, found_results))
    return ScenarioComparison(
        compared=(
            f"{len(outcomes)} duties compared: {_count(duty_differences, 'the dashboard is as expected')}",
            f"{len(wanted_results)} figures and texts compared: "
            + _count(result_differences, "as the agencies reported them"),
        ),
        differences=(*duty_differences, *result_differences),
        results=results,
    )


def describe_outcome(outcome: Outcome, ends_on: date) -> Answers:
    """Return the compared fields of an expected duty by name; *ends_on* is the day on which they are compared."""
    until = {Status.LATE: outcome.effective_at, Status.OVERDUE: None, Status.INCOMPLETE: None}
    days_late: int | None = None
    if outcome.status in until:
        effective_at = until[outcome.status]
        days_late = ((effective_at.date() if effective_at else ends_on) - outcome.duty.last_day).days
    return {
        "status": outcome.status.value,
        "due_at": outcome.duty.due_at,
        "effective_at": outcome.effective_at,
        "days_late": days_late,
        "submissions": 0 if outcome.standing is None else 1,
        "flags": sorted(outcome.flags),
        "missing": list(outcome.missing),
    }


def _read_duties(reporting: httpx.Client, query: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    cursor: str | None = ""
    while cursor is not None:
        answer = reporting.get("/v1/duties", params={**query, "limit": PAGE_LIMIT, "cursor": cursor})
        answer.raise_for_status()
        page = answer.json()
        for row in page["duties"]:
            if row["status"] not in _NOT_OWED:
                name = "/".join((row["agency"], row["obligation"], row["period"]))
                found |= {f"{field}: {name}": value for field, value in describe_row(row).items()}
        cursor = page["next_cursor"]
    return found


def describe_row(row: Mapping[str, Any]) -> Answers:
    """Return the compared fields of a *row* of the API, or of an answer of `dondoc evaluate`, by name."""
    instants = {name: row[name] and datetime.fromisoformat(row[name]) for name in ("due_at", "effective_at")}
    others = {name: row[name] for name in ("status", "days_late", "submissions", "missing")}
    return {**others, **instants, "flags": sorted(row["flags"])}


def list_results(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, object]]:
    """Yield name and value of everything that the results say of each figure, ratios left out, and of each text."""
    by_report: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    figures = {(one.duty.name[1:], one.duty.agency): one.standing.figures for one in outcomes if one.standing}
    for one in outcomes:
        by_report[one.duty.obligation.id, one.duty.period.text].append(one)
    for (obligation, period), several in by_report.items():
        name = f"{obligation} {period}"
        yield f"{name} expected", len(several)
        yield f"{name} standing", sum(1 for one in several if one.standing)
        for code in sorted({code for one in several if one.standing for code in one.standing.figures}):
            yield from _list_figure(f"{name} {code}", code, several)
            for one in several:
                if _differs_from_parts(one, code, figures):
                    yield f"{name} {code} of {one.duty.agency} differs from its parts", True
        for one in several:
            for section, text in one.standing.sections.items() if one.standing else ():
                yield f"{name} {section} of {one.duty.agency}", text


def _list_figure(name: str, code: str, several: Sequence[Outcome]) -> Iterator[tuple[str, object]]:
    given = [one for one in several if one.standing and code in one.standing.figures]
    values = {one.duty.agency: one.standing.figures[code] for one in given if one.standing}
    yield f"{name} total", str(sum(values.values()))
    yield f"{name} agencies", len(given)
    yield f"{name} late", sum(1 for one in given if one.status is Status.LATE)
    yield f"{name} incomplete", sum(1 for one in given if one.status is Status.INCOMPLETE)
    yield f"{name} cut_offs", dict(Counter(str(one.duty.cut_off) for one in given))
    yield f"{name} not_given", sorted(one.duty.agency for one in several if one.duty.agency not in values)
    yield from ((f"{name} of {agency}", str(value)) for agency, value in values.items())


def _differs_from_parts(
    outcome: Outcome, code: str, figures: Mapping[tuple[tuple[str, str], str], Mapping[str, int]]
) -> bool:
    """Whether every part has given the figure, and what the compiled report says is not their sum."""
    compiles = outcome.duty.obligation.compiles
    if compiles is None or outcome.standing is None or code not in outcome.standing.figures or not outcome.duty.parts:
        return False
    report = (compiles.obligation, outcome.duty.period.text)
    given = [figures.get((report, part), {}).get(code) for part in outcome.duty.parts]
    return None not in given and sum(one or 0 for one in given) != outcome.standing.figures[code]


def read_results(results: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, object]]:
    """Yield what the documents of *results*, by period, say under the names of `list_results`."""
    for period, document in results.items():
        for found in document["obligations"]:
            name = f"{found['obligation']} {period}"
            yield f"{name} expected", found["expected"]
            yield f"{name} standing", found["standing"]
            for one in found["indicators"]:
                if one["kind"] != "ratio" and one["agencies"]:
                    yield from _read_figure(f"{name} {one['code']}", one)
            for section in found["sections"]:
                yield from ((f"{name} {section['id']} of {one['agency']}", one["text"]) for one in section["texts"])


def _read_figure(name: str, one: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    yield from ((f"{name} {field}", one[field]) for field in ("total", "agencies", "late", "incomplete", "cut_offs"))
    yield f"{name} not_given", one["not_given"]
    for figure in one["figures"]:
        yield f"{name} of {figure['agency']}", figure["value"]
        if "parts_differ" in figure["flags"]:
            yield f"{name} of {figure['agency']} differs from its parts", True


def _list_differences(wanted: Answers, found: Answers) -> Iterator[str]:
    for name, value in wanted.items():
        if found.get(name, _MISSING) != value:
            yield f"{name} is {found.get(name, _MISSING)}, {value} is expected"
    yield from (f"{name} is {found[name]}, nothing is expected" for name in found.keys() - wanted)


def _count(differences: Sequence[str], none: str) -> str:
    return f"{len(differences)} differences" if differences else none
