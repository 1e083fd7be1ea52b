"""A duty's status is a piecewise-constant function of time, the future included."""

import pytest

from services.rules.core.assess import assess
from tests.support.assertions.spec import a_duty, a_fact, an_undated_version, instant, segment_at, status_history, wall
from tests.support.builders.plans import Json, a_submission, a_version

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}


def test_silence_is_pending_until_due_and_overdue_from_then_on() -> None:
    """Without any facts the timeline already contains the future: pending, then overdue."""
    duty = a_duty(period="2030")
    assert status_history(duty) == [("2030-01-01 00:00", "pending"), ("2030-12-10 00:00", "overdue")]


@pytest.mark.parametrize(
    "when, status",
    [
        ("2023-12-31 23:59:59.999999", "not_applicable"),
        ("2024-01-01 00:00", "pending"),
        ("2024-12-09 23:59:59.999999", "pending"),
        ("2024-12-10 00:00", "overdue"),
        ("2099-01-01 00:00", "overdue"),
    ],
)
def test_a_status_holds_from_its_first_instant_up_to_the_next(when: str, status: str) -> None:
    """Each segment is half-open, to the microsecond."""
    assert segment_at(when, a_duty()).status.value == status


def test_the_answer_says_more_than_the_status() -> None:
    """A segment tells due and effective instant, number of submissions, flags, missing parts and evidence."""
    found = segment_at("2024-12-02 00:00", a_duty(), a_fact(a_submission(data={"content": EMPTY}), "2024-12-01 08:00"))
    assert (found.status.value, wall(found.due_at), wall(found.effective_at)) == (
        "incomplete",
        "2024-12-10 00:00",
        "2024-12-01 08:00",
    )
    assert (found.submissions, found.flags, found.missing, found.evidence) == (1, (), ("sections.results",), ("s-1",))


def test_a_discharged_duty_lacks_nothing() -> None:
    """A discharged duty has no missing parts, even beside another report that is incomplete."""
    facts = (
        a_fact(a_submission("s-1"), "2024-12-01 08:00"),
        a_fact(a_submission("s-2", data={"content": EMPTY}), "2024-12-02 08:00"),
    )
    assert segment_at("2024-12-03 00:00", a_duty(), *facts).missing == ()


@pytest.mark.parametrize("content, status", [(None, "fulfilled"), (EMPTY, "incomplete")])
def test_an_undated_duty_is_open_then_done_never_late(content: dict[str, object] | None, status: str) -> None:
    """An undated duty is fulfilled by a complete report whenever it comes, and incomplete by an incomplete one."""
    data = {"period": None} | ({"content": content} if content else {})
    fact = a_fact(a_submission(data=data), "2024-12-01 08:00")
    assert status_history(a_duty(an_undated_version(), period=None), fact) == [
        ("2016-05-05 00:00", "open"),
        ("2024-12-01 08:00", status),
    ]


def test_a_once_duty_with_a_date_can_be_late() -> None:
    """A one-off duty with a date becomes overdue at that date."""
    duty = a_duty(a_version(recurrence="once", due={"date": "2016-06-30"}), period=None)
    assert status_history(duty)[-1] == ("2016-06-30 00:00", "overdue")


def test_a_report_for_a_duty_that_never_binds_is_a_filing_without_a_timeline() -> None:
    """A report for a duty that never binds is on file, but the duty stays not applicable."""
    duty = a_duty(a_version(to="2020-01-01"), period="2021")
    found = assess(duty, [a_fact(a_submission(data={"period": "2021"}), "2021-12-01 08:00")])
    assert (found.timeline, len(found.filings)) == ((), 1)
    assert found.at(instant("2021-12-02 00:00")).status.value == "not_applicable"
