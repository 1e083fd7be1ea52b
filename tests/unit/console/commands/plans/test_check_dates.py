"""`dondoc check` on what versions say of their dates: what contradicts is refused at its line."""

import pytest

from tests.support.builders.valid_documents import REGISTRY, TODAY, faults_in, replace_once

HEAD = """\
plan: P-1
version: 1
title: {vi: Chế độ báo cáo}
issued_on: 2025-01-01
registry: th
sources: [{id: qd, number: 1/QĐ-UBND}]
obligations:
  - id: results
    citation: {source: qd, clause: "4", quote: chốt số liệu}
    title: {vi: Báo cáo}
    addressees: [huyen]
    versions:
"""

# One line each, from line 13 on.
FAULTS: list[tuple[str, list[str], list[str]]] = [
    (
        "a half-year has no quarters",
        ["recurrence: half-year, only: [Q3]"],
        ["13: results.versions[0].only[0]: 'Q3' is no part of `recurrence: half-year`; write for example H1"],
    ),
    (
        "a year has no parts to choose from",
        ["recurrence: year, only: [H1]"],
        [
            "13: results.versions[0].only: `recurrence: year` has no parts of a year to choose from; leave `only` out",
        ],
    ),
    (
        "what is no part of a year is refused",
        ["recurrence: month, only: [13]"],
        ["13: results.versions[0].only[0]: '13' names no part of a year; write H1, 9M, Q3, 07 or W07"],
    ),
    (
        "a month twice is pointed out",
        ['recurrence: month, only: [7, "07"]'],
        ["13: warning: results.versions[0].only[1]: '07' stands here twice"],
    ),
    ("nothing chosen is refused", ["recurrence: month, only: []"], ["13: results.versions[0].only: empty"]),
    (
        "a window beside a cut-off",
        ["recurrence: month, window: {to: {day: 14}}, cut_off: {day: 14}"],
        ["13: results.versions[0].cut_off: the end of `window` is the cut-off; leave one of the two out"],
    ),
    (
        "a week has no window",
        ["recurrence: week, window: {to: {day: 14}}"],
        ["13: results.versions[0].window: `recurrence: week` has no months that a window could count from"],
    ),
    (
        "a one-off duty has no window",
        ["recurrence: once, window: {to: {day: 14}}"],
        ["13: results.versions[0].window: `recurrence: once` has no months that a window could count from"],
    ),
    (
        "a window that ends before it begins",
        ["recurrence: month, window: {from: {day: 20}, to: {day: 10}}"],
        [
            (
                "13: results.versions[0].window: the figures of 2026-01 would cover 2026-01-20 to 2026-01-10, "
                "which ends before it begins"
            )
        ],
    ),
    (
        "a boundary beside a time",
        ['recurrence: month, due: {day: 10, time: "17:00", boundary: inclusive}'],
        ["13: results.versions[0].due.boundary: with `time` the day is itself the last good day; leave `boundary` out"],
    ),
    (
        "a boundary beside working days",
        ["recurrence: month, due: {working_days_after_cut_off: 2, boundary: exclusive}"],
        [
            (
                "13: results.versions[0].due.boundary: with `working_days_after_cut_off` the day is itself the last "
                "good day; leave `boundary` out"
            )
        ],
    ),
    *(
        (
            f"{key} beside working days",
            [f"recurrence: month, due: {{working_days_after_cut_off: 2, {key}: {value}}}"],
            [f"13: results.versions[0].due.{key}: `working_days_after_cut_off` names the day alone; leave `{key}` out"],
        )
        for key, value in [("month", 1), ("day", 5), ("offset", "P1D"), ("weekend_rule", "next_working_day")]
    ),
    (
        "no working day at all",
        ["recurrence: month, due: {working_days_after_cut_off: 0}"],
        [
            "13: results.versions[0].due.working_days_after_cut_off: 0: input should be greater than or equal to 1",
        ],
    ),
    (
        "a one-off duty without a cut-off",
        ["recurrence: once, due: {working_days_after_cut_off: 2}"],
        [
            (
                "13: results.versions[0].due.working_days_after_cut_off: a one-off duty has no period whose end could "
                "be the cut-off; say `cut_off: {date: …}`"
            )
        ],
    ),
    (
        "a time that is none",
        ['recurrence: month, due: {day: 10, time: "5pm"}'],
        ["13: results.versions[0].due.time: '5pm' is no time of day; write \"17:00\""],
    ),
    (
        "midnight as a time",
        ['recurrence: month, due: {day: 10, time: "00:00"}'],
        [
            (
                "13: results.versions[0].due.time: the day would be over before it began; leave `time` out for the end "
                "of the day"
            )
        ],
    ),
    (
        "a month of a week",
        ["recurrence: week, due: {month: 1, day: 5}"],
        ["13: results.versions[0].due.month: a week has no months; write `day`, 1 for Monday to 7 for Sunday"],
    ),
    (
        "an eighth weekday",
        ["recurrence: week, due: {day: 8}"],
        ["13: results.versions[0].due.day: 8 is no weekday; `day` of a week is 1 for Monday to 7 for Sunday"],
    ),
    (
        "a due date before the window ends",
        ["recurrence: month, window: {to: {day: 14}}, due: {day: 14}"],
        [
            (
                "13: warning: results.versions[0].due: 2026-01 is due by the end of 2026-01-13, "
                "before the cut-off of its figures on 2026-01-14"
            )
        ],
    ),
    (
        "two versions that share a period",
        ["recurrence: quarter, due: {}", "recurrence: quarter, only: [Q2], due: {}"],
        ["14: results.versions[1].from: overlaps versions[0], which has no end"],
    ),
    (
        "two versions without periods",
        ["recurrence: once", "recurrence: none"],
        ["14: results.versions[1].from: overlaps versions[0], which has no end"],
    ),
]

SOUND: list[list[str]] = [
    ["recurrence: half-year, only: [H1], due: {}", "recurrence: half-year, only: [H2], due: {day: 14}"],
    ["recurrence: month, due: {}", "recurrence: nine-month, due: {}", "recurrence: week, due: {day: 5}"],
    ['recurrence: month, only: [1, "02", 12], due: {day: 20, time: "17:00", weekend_rule: next_working_day}'],
    ["recurrence: once, cut_off: {date: 2026-01-05}, due: {working_days_after_cut_off: 3, basis: receipt}"],
    ["recurrence: quarter, window: {from: {months: -1, day: 15}, to: {day: 14}}, due: {working_days_after_cut_off: 2}"],
    ["recurrence: nine-month, only: [9M]", "recurrence: once, due: {date: 2026-03-01}"],
]


def faults_of(versions: list[str]) -> list[str]:
    """Return the faults of a plan whose obligation has *versions*, without the name of the file."""
    lines = "".join(f"      - {{from: 2025-01-01, {one}}}\n" for one in versions)
    return [one.removeprefix("plan.yaml:") for one in faults_in(HEAD + lines)]


@pytest.mark.parametrize(("rule", "versions", "expected"), FAULTS, ids=[one[0] for one in FAULTS])
def test_what_contradicts_is_refused_at_its_line(rule: str, versions: list[str], expected: list[str]) -> None:
    """Each fault names the key and what to write instead."""
    assert faults_of(versions) == expected, rule


@pytest.mark.parametrize("versions", SOUND)
def test_what_the_law_states_can_be_said(versions: list[str]) -> None:
    """Regimes that have been published are accepted without a warning."""
    assert faults_of(versions) == []


class TestConfirmedYears:
    """Case s11: `dondoc check` says for which years of the plan nobody confirmed the swapped days."""

    def test_each_year_that_is_not_confirmed_is_named(self) -> None:
        """The years from the plan's first one to today's, at the line of what is confirmed."""
        registry = replace_once(REGISTRY, "2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026]", "2020, 2022]")
        line = REGISTRY[: REGISTRY.index("holidays_confirmed")].count("\n") + 1
        named = "2019, 2021, 2023, 2024, 2025, 2026"
        assert [one for one in faults_in(registry=registry) if "confirmed" in one] == [
            (
                f"registry.yaml:{line}: warning: holidays_confirmed: nobody has confirmed the swapped days of {named}; "
                "compare them with the Government's decisions, put differences into `holidays` and `working_days`, "
                "and add the years here"
            )
        ]

    def test_a_plan_that_has_ended_is_asked_about_its_own_years(self) -> None:
        """Nothing is said of the years after the end of the last version, nor of those to come."""
        assert TODAY.year == 2026
        versions = ["to: 2026-06-30, recurrence: month, due: {}"]
        registry = replace_once(REGISTRY, "2025, 2026]", "2025]")
        lines = "".join(f"      - {{from: 2025-01-01, {one}}}\n" for one in versions)
        assert "days of 2026;" in faults_in(HEAD + lines, registry)[0]
        ended = lines.replace("2026-06-30", "2025-12-31")
        assert faults_in(HEAD + ended, registry) == []


REMINDERS: list[tuple[str, list[str]]] = [
    (
        "at_most: 3",
        ["warning: results.versions[0].reminders.at_most: it bounds the repetitions of `then_every`"],
    ),
    ("then_every: P7D, at_most: -1", ["results.versions[0].reminders.at_most: -1: input should be greater than or"]),
    ("after: [PT0S], settle: P1M", ["results.versions[0].reminders.settle: 'P1M' has no fixed length; write PT2H"]),
    ("after: [PT0S], settle: -PT2H", ["results.versions[0].reminders.settle: '-PT2H' is no time to wait before"]),
    ("notices: [opened]", ["results.versions[0].reminders.notices[0]: 'opened' is not one of 'received', 'returned'"]),
    ("after: [PT0S], then_every: P7D, at_most: 6, settle: PT2H, notices: [received, opening]", []),
]


@pytest.mark.parametrize(("reminders", "expected"), REMINDERS)
def test_what_reminders_cannot_mean_is_refused(reminders: str, expected: list[str]) -> None:
    """A bound without repetitions, a time to wait that has no length, and a notice that there is not."""
    found = faults_of([f"recurrence: month, due: {{}}, reminders: {{{reminders}}}"])
    assert len(found) == len(expected)
    assert all(words in one for one, words in zip(found, expected, strict=True))
