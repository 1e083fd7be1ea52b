"""The consolidated figures and texts that must come of the scenario, and their comparison with what the system answers.

The fold is written down here a second time, by hand, with the formulas of the ratios: it is not taken from reporting,
because reporting is what is checked against it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from schemas.events.assessments import Status
from services.console.demo.plan_6766 import reported_content
from services.console.demo.plan_6766.events import RESULTS, YEAR
from services.console.demo.plan_6766.expected import ExpectedDuty
from services.console.demo.plan_6766.reported_content import DISTRICT_PREFIXES

# What is multiplied, added up and divided: 100 * overdue_debt / outstanding_loans.
RATIOS: Mapping[str, tuple[int, tuple[str, ...], str]] = {
    "local_budget_share": (100, ("entrusted_local_budget",), "outstanding_loans"),
    "poverty_programmes_share": (
        100,
        ("outstanding_poor", "outstanding_near_poor", "outstanding_newly_escaped"),
        "outstanding_loans",
    ),
    "organisations_share": (
        100,
        ("outstanding_farmers", "outstanding_women", "outstanding_veterans", "outstanding_youth"),
        "outstanding_loans",
    ),
    "overdue_ratio": (100, ("overdue_debt",), "outstanding_loans"),
    "average_loan": (1, ("outstanding_loans",), "customers"),
    "good_groups_share": (100, ("loan_groups_good",), "loan_groups"),
    "poverty_rate": (100, ("poor_households",), "households"),
}
_PREVIOUS_YEAR = int(YEAR) - 1
_NOT_EXPECTED = frozenset({Status.EXEMPT})
_MISSING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsComparison:
    """How many figures and texts were compared, and a sentence for each difference."""

    count: int
    differences: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _AgencyReport:
    """What one agency is asked for, and what it has reported."""

    agency: str
    asked: frozenset[str]
    status: Status
    figures: Mapping[str, int] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    cut_off: date | None = None

    def gives(self, codes: Sequence[str]) -> bool:
        return all(code in self.figures for code in codes)


def compare_results(expectations: Sequence[ExpectedDuty], document: Mapping[str, Any]) -> ResultsComparison:
    """Compare the results of the scenario's year (contract section 8) with what the scenario has planted."""
    now = [_report_of(one) for one in expectations if one.status not in _NOT_EXPECTED]
    before = [_archived_report(one.agency) for one in expectations]
    found: Mapping[str, Any] = next((one for one in document["obligations"] if one["obligation"] == RESULTS), {})
    actual = dict(_list_answers(found))
    wanted = dict(_list_figures(now, before)) | dict(_list_texts(now))
    differences = [
        f"{name} is {actual.get(name, _MISSING)} in the results, {value} is expected"
        for name, value in wanted.items()
        if actual.get(name, _MISSING) != value
    ]
    differences += [f"{name} is {actual[name]} in the results, nothing is expected" for name in actual.keys() - wanted]
    return ResultsComparison(count=len(wanted), differences=differences)


def _report_of(expected: ExpectedDuty) -> _AgencyReport:
    asked = frozenset(reported_content.draw_figures(expected.agency, int(YEAR)))
    report = expected.standing
    if report is None:
        return _AgencyReport(agency=expected.agency, asked=asked, status=expected.status)
    return _AgencyReport(
        agency=expected.agency,
        asked=asked,
        status=expected.status,
        figures=report.figures,
        sections=report.sections,
        cut_off=report.cut_off,
    )


def _archived_report(agency: str) -> _AgencyReport:
    figures = reported_content.draw_figures(agency, _PREVIOUS_YEAR)
    return _AgencyReport(
        agency=agency,
        asked=frozenset(figures),
        status=Status.ON_TIME,
        figures=figures,
        cut_off=date(_PREVIOUS_YEAR, 11, 30),
    )


def _list_figures(now: Sequence[_AgencyReport], before: Sequence[_AgencyReport]) -> Iterator[tuple[str, object]]:
    """Yield name and value of everything that the results say of each indicator."""
    codes = dict.fromkeys(code for one in now for code in one.asked)
    for code in (*codes, *RATIOS):
        parts = _parts_of(code)
        given = [one for one in now if one.gives(parts)]
        yield f"{code}.total", _total(code, now)
        yield f"{code}.asked", sum(1 for one in now if one.asked >= {*parts})
        yield f"{code}.agencies", len(given)
        yield f"{code}.late", sum(1 for one in given if one.status is Status.LATE)
        yield f"{code}.incomplete", sum(1 for one in given if one.status is Status.INCOMPLETE)
        yield f"{code}.cut_offs", dict(Counter(str(one.cut_off) for one in given))
        for group, are_districts in _GROUPS.items():
            members = [one for one in now if one.agency.startswith(DISTRICT_PREFIXES) is are_districts]
            yield f"{code}.groups.{group}", _total(code, members)
        for one in given:
            yield f"{code} of {one.agency}", _total(code, [one])
        yield from _list_comparison(code, given, before)


def _list_comparison(
    code: str, given: Sequence[_AgencyReport], before: Sequence[_AgencyReport]
) -> Iterator[tuple[str, object]]:
    parts = _parts_of(code)
    earlier = {one.agency: one for one in before if one.gives(parts)}
    same = [one for one in given if one.agency in earlier and _is_same_day(one, earlier[one.agency])]
    yield f"{code}.previous.total", _total(code, before)
    yield f"{code}.previous.agencies", len(earlier)
    yield f"{code}.previous.comparable", len({one.cut_off for one in given}) == 1 and len(same) == len(given)
    yield f"{code}.same.agencies", len(same)
    yield f"{code}.same.total", _total(code, same)
    yield f"{code}.same.previous", _total(code, [earlier[one.agency] for one in same])


def _list_texts(now: Sequence[_AgencyReport]) -> Iterator[tuple[str, object]]:
    for one in now:
        for section, text in one.sections.items():
            yield f"section {section} of {one.agency}", text


def _list_answers(results: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what the *results* of the obligation say, under the names of `_list_figures` and `_list_texts`."""
    for one in results.get("indicators", ()):
        code, previous = one["code"], one["previous"]
        yield from ((f"{code}.{name}", one[name]) for name in _FIELDS)
        yield from ((f"{code}.groups.{group['group']}", group["total"]) for group in one["groups"])
        yield from ((f"{code} of {figure['agency']}", figure["value"]) for figure in one["figures"])
        yield from ((f"{code}.previous.{name}", previous[name]) for name in ("total", "agencies", "comparable"))
        yield from ((f"{code}.same.{name}", previous["same"][name]) for name in ("agencies", "total", "previous"))
    for section in results.get("sections", ()):
        yield from ((f"section {section['id']} of {one['agency']}", one["text"]) for one in section["texts"])


def _parts_of(code: str) -> tuple[str, ...]:
    if code not in RATIOS:
        return (code,)
    _, numerator, denominator = RATIOS[code]
    return (*numerator, denominator)


def _total(code: str, reports: Sequence[_AgencyReport]) -> str | None:
    """Return a sum, or a ratio of sums rounded half-even to six decimals, as the contract writes it."""
    if code not in RATIOS:
        return str(_sum(code, reports))
    factor, numerator, denominator = RATIOS[code]
    divisor = _sum(denominator, reports)
    if not divisor:
        return None
    millionths = round(Fraction(factor * sum(_sum(one, reports) for one in numerator), divisor) * 10**6)
    whole, part = divmod(millionths, 10**6)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def _sum(code: str, reports: Sequence[_AgencyReport]) -> int:
    return sum(one.figures.get(code, 0) for one in reports)


def _is_same_day(one: _AgencyReport, earlier: _AgencyReport) -> bool:
    return (
        one.cut_off is not None and earlier.cut_off is not None and f"{one.cut_off:%m%d}" == f"{earlier.cut_off:%m%d}"
    )


_FIELDS = ("total", "asked", "agencies", "late", "incomplete", "cut_offs")
_GROUPS = {"so-ban-nganh": False, "ubnd-huyen": True}
