"""Decisions act from their own date and never rewrite the past (rulings 9 and 10)."""

import pytest

from services.rules.core.facts import Fact
from tests.support.assertions.spec import (
    a_duty,
    a_fact,
    an_undated_version,
    rfc3339,
    segment_at,
    status_history,
    wall,
    with_decision_date,
)
from tests.support.builders.plans import Json, a_revocation, a_submission, a_version, an_exemption, an_extension

LATER = "2025-06-01 00:00"
DUE = "2024-12-10 00:00"


def extension(to: str, *, on: str, event: str = "x-1", received_at: str | None = None) -> Fact:
    """Build an extension to a wall time, decided on a day."""
    return a_fact(with_decision_date(an_extension(event, rfc3339(to)), on), received_at or f"{on} 10:00")


def exemption(*, on: str, since: str = "2024-01-01 00:00", until: str = "2025-01-01 00:00", event: str = "e-1") -> Fact:
    """Build an exemption of what falls due in a span, decided on a day."""
    return a_fact(with_decision_date(an_exemption(event, rfc3339(since), rfc3339(until)), on), f"{on} 10:00")


def revocation(to: str | None, *, on: str, received_at: str | None = None, of: str = "e-1") -> Fact:
    """Build a revocation decided on a day; the report is due by a wall time, or by none."""
    event: Json = a_revocation("r-1", of, to and rfc3339(to))
    return a_fact(with_decision_date(event, on), received_at or f"{on} 10:00")


def report(on: str, event: str = "s-1") -> Fact:
    """Build a complete report received at a wall time."""
    return a_fact(a_submission(event), on)


class TestExtension:
    """An extension sets a later due instant."""

    def test_it_acts_from_the_first_instant_of_the_day_of_decision(self) -> None:
        """The old due instant holds until the day of the decision, and the new one from its first instant on."""
        duty, granted = a_duty(), extension("2024-12-31 00:00", on="2024-12-05")
        dues = [wall(segment_at(when, duty, granted).due_at) for when in ("2024-12-04 23:59", "2024-12-05 00:00")]
        assert dues == [DUE, "2024-12-31 00:00"]
        assert segment_at("2024-12-05 00:00", duty, granted).flags == ("under_extension",)

    def test_a_report_before_the_new_instant_is_on_time(self) -> None:
        """A report before the extended due instant is on time, with the extension among its evidence."""
        facts = extension("2024-12-31 00:00", on="2024-12-05"), report("2024-12-20 08:00")
        assert status_history(a_duty(), *facts)[-1] == ("2024-12-20 08:00", "on_time")
        assert segment_at(LATER, a_duty(), *facts).evidence == ("s-1", "x-1")

    def test_late_under_an_extension_granted_in_time_it_never_was_overdue_before(self) -> None:
        """A report late under an extension granted before due has no flag `was_overdue`."""
        facts = extension("2024-12-31 00:00", on="2024-12-05"), report("2025-01-03 08:00")
        assert segment_at(LATER, a_duty(), *facts).flags == ("under_extension",)

    def test_granted_after_due_the_overdue_stretch_stays_in_the_record(self) -> None:
        """An extension granted after due leaves the overdue time in the timeline, with the flag `was_overdue`."""
        duty, granted = a_duty(), extension("2024-12-31 00:00", on="2024-12-15")
        assert status_history(duty, granted) == [
            ("2024-01-01 00:00", "pending"),
            (DUE, "overdue"),
            ("2024-12-15 00:00", "pending"),
            ("2024-12-31 00:00", "overdue"),
        ]
        assert segment_at("2024-12-20 00:00", duty, granted).flags == ("under_extension", "was_overdue")

    def test_a_late_report_becomes_on_time_from_the_decision_on(self) -> None:
        """A late report becomes on time from the day of the extension on, and stays late before it."""
        facts = report("2024-12-12 08:00"), extension("2024-12-31 00:00", on="2024-12-15")
        assert status_history(a_duty(), *facts)[1:] == [
            (DUE, "overdue"),
            ("2024-12-12 08:00", "late"),
            ("2024-12-15 00:00", "on_time"),
        ]

    def test_an_extension_never_moves_due_back(self) -> None:
        """An extension to an earlier instant than due changes nothing."""
        duty, granted = a_duty(), extension("2024-12-01 00:00", on="2024-11-20")
        assert (wall(segment_at(LATER, duty, granted).due_at), segment_at(LATER, duty, granted).flags) == (DUE, ())

    def test_the_furthest_of_several_extensions_counts(self) -> None:
        """Of several extensions the furthest counts, whatever their order."""
        facts = (
            extension("2025-01-31 00:00", on="2024-12-01", event="x-1"),
            extension("2024-12-31 00:00", on="2024-12-05", event="x-2"),
            extension("2025-02-28 00:00", on="2024-12-06", event="x-3"),
        )
        found = segment_at(LATER, a_duty(), *facts)
        assert (wall(found.due_at), found.evidence) == ("2025-02-28 00:00", ("x-1", "x-3"))

    def test_another_period_s_extension_changes_nothing(self) -> None:
        """An extension of another period changes nothing."""
        assert wall(
            segment_at(LATER, a_duty(period="2023"), extension("2025-01-31 00:00", on="2024-12-01")).due_at
        ) == ("2023-12-10 00:00")

    def test_an_undated_duty_cannot_be_extended(self) -> None:
        """An extension does not change an undated duty."""
        event = an_extension("x-1", rfc3339("2024-12-31 00:00"))
        event["data"].pop("period")
        assert (
            status_history(a_duty(an_undated_version(), period=None), a_fact(event, "2024-12-01 08:00"))[-1][1]
            == "open"
        )


class TestExemption:
    """A duty is exempt if its due instant falls inside the exemption."""

    @pytest.mark.parametrize(
        "since, until, status",
        [
            ("2024-01-01 00:00", "2025-01-01 00:00", "exempt"),
            (DUE, "2024-12-10 00:01", "exempt"),
            ("2024-01-01 00:00", DUE, "overdue"),
            ("2024-12-10 00:01", "2025-01-01 00:00", "overdue"),
            ("2025-01-01 00:00", "2024-01-01 00:00", "overdue"),
        ],
    )
    def test_the_span_is_half_open(self, since: str, until: str, status: str) -> None:
        """The beginning of an exemption counts and its end does not; a reversed span releases nobody."""
        assert segment_at(LATER, a_duty(), exemption(on="2024-06-01", since=since, until=until)).status.value == status

    def test_it_acts_from_its_day(self) -> None:
        """An exemption decided after due acts from its day, and the overdue time stays in the timeline."""
        duty, lifted = a_duty(), exemption(on="2024-12-20")
        assert status_history(duty, lifted)[1:] == [(DUE, "overdue"), ("2024-12-20 00:00", "exempt")]
        assert segment_at(LATER, duty, lifted).flags == ("was_overdue",)

    def test_an_exempt_agency_that_reports_anyway_stays_exempt(self) -> None:
        """Ruling 10: an exempt agency that reports stays exempt, with the flag `voluntary_report`."""
        found = segment_at(LATER, a_duty(), exemption(on="2024-06-01"), report("2024-12-01 08:00"))
        assert (found.status.value, found.flags, found.submissions) == ("exempt", ("voluntary_report",), 1)

    def test_an_extension_out_of_the_span_ends_the_release(self) -> None:
        """An extension to a due instant outside the exemption ends the release."""
        facts = exemption(on="2024-06-01"), extension("2025-03-01 00:00", on="2024-09-01")
        assert status_history(a_duty(), *facts)[1:] == [
            ("2024-06-01 00:00", "exempt"),
            ("2024-09-01 00:00", "pending"),
            ("2025-03-01 00:00", "overdue"),
        ]

    def test_an_undated_duty_is_released_while_the_span_lasts(self) -> None:
        """An undated duty is exempt while the exemption lasts, because it has no due instant."""
        lifted = exemption(on="2024-01-01", since="2024-03-01 00:00", until="2024-09-01 00:00")
        assert status_history(a_duty(an_undated_version(), period=None), lifted) == [
            ("2016-05-05 00:00", "open"),
            ("2024-03-01 00:00", "exempt"),
            ("2024-09-01 00:00", "open"),
        ]


class TestRevocation:
    """Ruling 9: a revocation without a future due date is refused."""

    def test_it_sets_the_new_due_instant(self) -> None:
        """After a revocation the duty is pending from the decision on and overdue from the new due instant on."""
        facts = exemption(on="2024-06-01"), revocation("2025-02-01 00:00", on="2024-12-20")
        assert status_history(a_duty(), *facts)[1:] == [
            ("2024-06-01 00:00", "exempt"),
            ("2024-12-20 00:00", "pending"),
            ("2025-02-01 00:00", "overdue"),
        ]
        assert segment_at(LATER, a_duty(), *facts).evidence == ("r-1",)

    @pytest.mark.parametrize(
        "to, received_at",
        [
            (None, "2024-12-20 10:00"),
            ("2024-12-20 00:00", "2024-12-20 10:00"),
            ("2024-12-01 00:00", "2024-12-20 10:00"),
            ("2025-02-01 00:00", "2025-02-01 00:00"),
        ],
    )
    def test_without_a_future_due_instant_it_is_refused(self, to: str | None, received_at: str) -> None:
        """A revocation whose due instant is missing or has passed by its day or its receipt leaves the duty exempt."""
        facts = exemption(on="2024-06-01"), revocation(to, on="2024-12-20", received_at=received_at)
        found = segment_at(LATER, a_duty(), *facts)
        assert (found.status.value, found.flags) == ("exempt", ("revocation_refused",))
        assert found.evidence == ("r-1", "e-1")

    def test_it_reopens_no_year_served_exempt(self) -> None:
        """A revocation in 2025 of an exemption of 2024 and 2025 leaves the duty of 2024 exempt."""
        exempted = exemption(on="2024-06-01", until="2026-01-01 00:00")
        taken_back = revocation("2025-12-31 00:00", on="2025-12-11")
        assert status_history(a_duty(), exempted, taken_back)[-1] == ("2024-06-01 00:00", "exempt")

    def test_a_revocation_of_something_unknown_is_held(self) -> None:
        """A revocation that names no known exemption changes nothing."""
        held = revocation("2025-02-01 00:00", on="2024-12-20", of="e-9")
        assert segment_at("2024-12-21 00:00", a_duty(), held, exemption(on="2024-06-01")).status.value == "exempt"

    def test_a_second_exemption_goes_on(self) -> None:
        """A revocation ends only the exemption that it names; a second one goes on."""
        facts = (
            exemption(on="2024-06-01"),
            exemption(on="2024-06-02", event="e-2", until="2026-01-01 00:00"),
            revocation("2025-02-01 00:00", on="2024-12-20"),
        )
        assert segment_at(LATER, a_duty(), *facts).status.value == "exempt"

    def test_a_revocation_decided_before_its_exemption_finds_nothing_to_revoke(self) -> None:
        """A revocation decided before its exemption revokes nothing: decisions act in the order of their days."""
        facts = exemption(on="2024-06-01"), revocation("2025-02-01 00:00", on="2024-05-01")
        assert segment_at(LATER, a_duty(), *facts).status.value == "exempt"

    def test_a_duty_that_was_not_released_is_not_touched(self) -> None:
        """A revocation does not touch a duty whose due instant lies outside the exemption."""
        elsewhere = exemption(on="2024-06-01", since="2025-01-01 00:00", until="2026-01-01 00:00")
        found = segment_at(LATER, a_duty(), elsewhere, revocation("2025-02-01 00:00", on="2024-12-20"))
        assert (found.status.value, wall(found.due_at), found.evidence) == ("overdue", DUE, ())

    def test_a_later_duty_of_the_same_exemption_falls_due_when_the_plan_says(self) -> None:
        """A revocation makes a later duty of the same exemption due no earlier than the plan does."""
        facts = exemption(on="2024-06-01", until="2027-01-01 00:00"), revocation("2025-02-01 00:00", on="2024-12-20")
        assert wall(segment_at("2026-01-01 00:00", a_duty(period="2025"), *facts).due_at) == "2025-12-10 00:00"

    def test_an_ended_exemption_does_not_come_back_with_an_extension(self) -> None:
        """A due instant that an extension moves into a revoked exemption is not released."""
        facts = (
            exemption(on="2024-06-01", since="2025-01-01 00:00", until="2026-01-01 00:00"),
            revocation("2025-02-01 00:00", on="2024-08-01"),
            extension("2025-03-01 00:00", on="2024-09-01"),
        )
        assert status_history(a_duty(), *facts) == [("2024-01-01 00:00", "pending"), ("2025-03-01 00:00", "overdue")]

    def test_an_undated_duty_stays_undated(self) -> None:
        """After a revocation an undated duty is open again, without a due instant."""
        facts = exemption(on="2024-01-01"), revocation("2024-09-01 00:00", on="2024-06-01")
        assert status_history(a_duty(an_undated_version(), period=None), *facts) == [
            ("2016-05-05 00:00", "open"),
            ("2024-01-01 00:00", "exempt"),
            ("2024-06-01 00:00", "open"),
        ]


def test_a_change_of_setting_does_not_reach_back() -> None:
    """A version with stricter requirements from 2025 on leaves the report of 2024 complete."""
    old = a_version(to="2025-01-01")
    new = a_version(**{"from": "2025-01-01"}, requires={"sections": ["results", "more"]})
    assert segment_at(LATER, a_duty(old, new), report("2024-12-01 08:00")).status.value == "on_time"
