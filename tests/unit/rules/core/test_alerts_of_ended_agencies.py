"""Who is told of a report that was overdue when its agency ended: those that stand in the agency's place."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.assessments import StepKind
from schemas.events.wire import WireNotice, WireStep
from schemas.plan.registry import Registry
from services.rules.core.alerts import plan_alerts
from services.rules.core.assess import assess
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, a_fact, wall
from tests.support.builders.plans import Json, a_registry, a_return, a_submission, a_version, an_agency

WEEKLY: Json = {
    "after": ["PT0S", "P3D"],
    "then_every": "P7D",
    "at_most": 6,
    "escalate": [{"after": "P30D", "to": "leaders"}],
}
LATER = [f"h-{number}" for number in range(1, 4)]


def a_merger(*heirs: str, on: str, ends: str = "h-mot") -> Json:
    """Build the act by which an agency goes into its heirs; without any it is abolished."""
    kind = "split" if len(heirs) > 1 else "merge_into" if heirs else "abolish"
    return {"type": kind, "from": [ends], "to": list(heirs), "on": on}


def ends_at(step: WireStep) -> datetime | None:
    """Return the instant from which a step does not repeat any more."""
    return min((one for one in (step.until, step.passes_at or None) if one is not None), default=None)


def told(duty: Duty, *facts: Fact) -> list[tuple[str | None, str]]:
    """Return when urging is called for, and who is told."""
    return [(wall(one.at), one.to) for one in plan_alerts(assess(duty, facts)) if one.kind is StepKind.URGING]


def a_weekly_duty(*successions: Json) -> Duty:
    """Build the duty of h-mot that is due before 10 December 2024, under a registry with *successions*."""
    agencies = [an_agency(one) for one in ("h-mot", "h-hai", "h-ba")]
    return a_duty(a_version(reminders=WEEKLY), registry=a_registry(*agencies, successions=list(successions)))


@pytest.mark.parametrize(
    ("successions", "told_from_20_december"),
    [
        ((a_merger("h-hai", on="2024-12-20"),), ["h-hai"]),
        ((a_merger("h-hai", "h-ba", on="2024-12-20"),), ["h-ba", "h-hai"]),
        ((a_merger(on="2024-12-20"),), []),
    ],
    ids=["merged", "split", "abolished"],
)
def test_whoever_stands_in_its_place_is_urged(successions: tuple[Json, ...], told_from_20_december: list[str]) -> None:
    """The urging of the 20th is for the heirs, those of the 10th and the 13th were for the agency itself."""
    found = told(a_weekly_duty(*successions))
    assert found[:2] == [("2024-12-10 00:00", "self"), ("2024-12-13 00:00", "self")]
    assert found[2:] == [("2024-12-20 00:00", heir) for heir in told_from_20_december]


def test_repeated_urging_passes_on_with_what_is_left_of_it() -> None:
    """Two of six repetitions were for the agency; the heir gets four, at the days on which it would have got them."""
    urgings = plan_alerts(assess(a_weekly_duty(a_merger("h-hai", on="2024-12-28")), ()))
    weekly = [(wall(one.at), one.step, one.to, wall(ends_at(one)), one.at_most) for one in urgings if one.every]
    assert weekly == [
        ("2024-12-20 00:00", "P10D", "self", "2024-12-28 00:00", 6),
        ("2025-01-03 00:00", "P24D", "h-hai", "2025-12-10 00:00", 4),
    ]


def test_what_waits_past_the_end_says_for_whom_it_is_then() -> None:
    """The urging of the 13th may go out after the end of the 15th; then it is for who stands in the place by then."""
    duty = a_weekly_duty(a_merger("h-hai", on="2024-12-15"), a_merger("h-ba", on="2024-12-27", ends="h-hai"))
    (step,) = [one for one in plan_alerts(assess(duty, ())) if (one.to, one.step) == ("self", "P3D")]
    assert wall(step.passes_at or None) == "2024-12-15 00:00"
    terms = [(one.agency, wall(one.starts_at), wall(one.until)) for one in step.successors or ()]
    assert terms == [("h-hai", "2024-12-15 00:00", "2024-12-27 00:00"), ("h-ba", "2024-12-27 00:00", None)]


def test_what_was_called_for_long_before_the_end_is_for_the_agency() -> None:
    """Nothing waits for more than a month: one that ends in the year after is like one that does not."""
    steps = plan_alerts(assess(a_weekly_duty(a_merger("h-hai", on="2025-11-01")), ()))
    assert [one.step for one in steps if one.passes_at] == ["P10D"]
    never = a_weekly_duty(a_merger("h-hai", on="2026-03-01"))
    assert plan_alerts(assess(never, ())) == plan_alerts(assess(a_weekly_duty(), ()))


def test_an_heir_that_ends_in_its_turn_gives_way_to_its_own() -> None:
    """Communes that were merged in January and again in July."""
    duty = a_weekly_duty(a_merger("h-hai", on="2024-12-12"), a_merger("h-ba", on="2024-12-27", ends="h-hai"))
    assert told(duty) == [
        ("2024-12-10 00:00", "self"),
        ("2024-12-13 00:00", "h-hai"),
        ("2024-12-20 00:00", "h-hai"),
        ("2024-12-27 00:00", "h-ba"),
    ]


def test_an_heir_is_told_in_whose_place_it_stands() -> None:
    """Its letter can then name the agency whose report it is."""
    passed = [one for one in plan_alerts(assess(a_weekly_duty(a_merger("h-hai", on="2024-12-12")), ())) if one.notice]
    assert {(one.to, one.notice.heirs) for one in passed if isinstance(one.notice, WireNotice)} == {
        ("h-hai", ("h-hai",))
    }


def test_a_return_is_told_to_the_heir_with_its_reason() -> None:
    """The recipient returns the report of an agency that has ended by then."""
    report = a_fact(a_submission("s-1", subject="h-mot", data={"agency": "h-mot"}), "2024-12-05 08:00")
    returned = a_fact(a_return("r-1", "s-1"), "2024-12-16 08:00")
    steps = plan_alerts(assess(a_weekly_duty(a_merger("h-hai", on="2024-12-12")), (report, returned)))
    (step,) = [one for one in steps if one.kind is StepKind.RETURNED]
    assert step.to == "h-hai"
    assert step.returned


def test_superiors_hear_of_it_as_before() -> None:
    """The list of overdue reports holds what is overdue, whoever ended."""
    steps = plan_alerts(assess(a_weekly_duty(a_merger("h-hai", on="2024-12-12")), ()))
    assert [(wall(one.at), one.to) for one in steps if one.kind is StepKind.ESCALATION] == [
        ("2025-01-09 00:00", "leaders")
    ]


@st.composite
def chains_of_mergers(draw: st.DrawFn) -> tuple[Registry, list[date]]:
    """Draw agencies each of which goes into the next one, and when."""
    days = draw(st.lists(st.integers(0, 120), min_size=1, max_size=3, unique=True).map(sorted))
    ends = [date(2024, 12, 10) + timedelta(days=one) for one in days]
    chain = ["h-mot", *LATER[: len(ends)]]
    mergers = [
        a_merger(heir, on=end.isoformat(), ends=ended) for (ended, heir), end in zip(pairwise(chain), ends, strict=True)
    ]
    return a_registry(*(an_agency(one) for one in chain), successions=mergers), ends


@given(chains_of_mergers(), st.integers(1, 20), st.sampled_from([None, 1, 5, 9]))
def test_no_urging_goes_to_an_office_that_has_ended(
    drawn: tuple[Registry, list[date]], every: int, at_most: int | None
) -> None:
    """Each urging that the agency would have got is got once, by whoever stands in its place on that day."""
    registry, ends = drawn
    reminders = {"after": ["PT0S", "P3D", "P40D"], "then_every": f"P{every}D"}
    version = a_version(reminders=reminders if at_most is None else reminders | {"at_most": at_most})
    expected = _list_urgings(a_duty(version, registry=a_registry()))
    found = _list_urgings(a_duty(version, registry=registry))
    chain = ["self", *LATER]
    assert found == {(day, chain[sum(end <= day for end in ends)]) for day, _ in expected}


def _list_urgings(duty: Duty) -> set[tuple[date, str]]:
    """Return the days of all urgings and their repetitions, with who gets them; none is called for twice."""
    found: list[tuple[date, str]] = []
    for one in plan_alerts(assess(duty, ())):
        at, number, until = one.at, 0, ends_at(one)
        while one.every is None or (until and at < until and (not one.at_most or number < one.at_most)):
            found.append((at.astimezone(duty.zone).date(), one.to))
            if one.every is None:
                break
            at, number = at + timedelta(days=int(one.every[1:-1])), number + 1
    return {*found}
