"""Decisions act from their own date and never rewrite the past (rulings 9 and 10)."""

import pytest

from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, at, decided, history, received, rfc3339, undated, wall
from tests.support.builders.plans import Json, a_revocation, a_submission, a_version, an_exemption, an_extension

LATER = "2025-06-01 00:00"
DUE = "2024-12-10 00:00"


def extension(to: str, *, on: str, event: str = "x-1", received_at: str | None = None) -> Fact:
    """An extension to a wall time, decided on a day."""
    return received(decided(an_extension(event, rfc3339(to)), on), received_at or f"{on} 10:00")


def exemption(*, on: str, since: str = "2024-01-01 00:00", until: str = "2025-01-01 00:00", event: str = "e-1") -> Fact:
    """An exemption of what falls due in a span, decided on a day."""
    return received(decided(an_exemption(event, rfc3339(since), rfc3339(until)), on), f"{on} 10:00")


def revocation(to: str | None, *, on: str, received_at: str | None = None, of: str = "e-1") -> Fact:
    """The exemption is taken back on a day, the report due by a wall time or none."""
    event: Json = a_revocation("r-1", of, to and rfc3339(to))
    return received(decided(event, on), received_at or f"{on} 10:00")


def report(on: str, event: str = "s-1") -> Fact:
    """A complete report received at a wall time."""
    return received(a_submission(event), on)


class TestExtension:
    """A later due instant by decision."""

    def test_it_acts_from_the_first_instant_of_the_day_of_decision(self) -> None:
        """Before that day the old due instant is told, afterwards the new one."""
        duty, granted = a_duty(), extension("2024-12-31 00:00", on="2024-12-05")
        dues = [wall(at(when, duty, granted).due_at) for when in ("2024-12-04 23:59", "2024-12-05 00:00")]
        assert dues == [DUE, "2024-12-31 00:00"]
        assert at("2024-12-05 00:00", duty, granted).flags == ("under_extension",)

    def test_a_report_before_the_new_instant_is_on_time(self) -> None:
        """That is what it is for."""
        facts = extension("2024-12-31 00:00", on="2024-12-05"), report("2024-12-20 08:00")
        assert history(a_duty(), *facts)[-1] == ("2024-12-20 08:00", "on_time")
        assert at(LATER, a_duty(), *facts).evidence == ("s-1", "x-1")

    def test_late_under_an_extension_granted_in_time_it_never_was_overdue_before(self) -> None:
        """What was missed is the new due instant, and late says so."""
        facts = extension("2024-12-31 00:00", on="2024-12-05"), report("2025-01-03 08:00")
        assert at(LATER, a_duty(), *facts).flags == ("under_extension",)

    def test_granted_after_due_the_overdue_stretch_stays_in_the_record(self) -> None:
        """Overdue until the decision, pending after it, and the flag says what was."""
        duty, granted = a_duty(), extension("2024-12-31 00:00", on="2024-12-15")
        assert history(duty, granted) == [
            ("2024-01-01 00:00", "pending"),
            (DUE, "overdue"),
            ("2024-12-15 00:00", "pending"),
            ("2024-12-31 00:00", "overdue"),
        ]
        assert at("2024-12-20 00:00", duty, granted).flags == ("under_extension", "was_overdue")

    def test_a_late_report_becomes_on_time_from_the_decision_on(self) -> None:
        """Not before it: the past is not rewritten."""
        facts = report("2024-12-12 08:00"), extension("2024-12-31 00:00", on="2024-12-15")
        assert history(a_duty(), *facts)[1:] == [
            (DUE, "overdue"),
            ("2024-12-12 08:00", "late"),
            ("2024-12-15 00:00", "on_time"),
        ]

    def test_an_extension_never_moves_due_back(self) -> None:
        """Nobody is made late by one."""
        duty, granted = a_duty(), extension("2024-12-01 00:00", on="2024-11-20")
        assert (wall(at(LATER, duty, granted).due_at), at(LATER, duty, granted).flags) == (DUE, ())

    def test_the_furthest_of_several_extensions_counts(self) -> None:
        """A shorter one later takes nothing away."""
        facts = (
            extension("2025-01-31 00:00", on="2024-12-01", event="x-1"),
            extension("2024-12-31 00:00", on="2024-12-05", event="x-2"),
            extension("2025-02-28 00:00", on="2024-12-06", event="x-3"),
        )
        found = at(LATER, a_duty(), *facts)
        assert (wall(found.due_at), found.evidence) == ("2025-02-28 00:00", ("x-1", "x-3"))

    def test_another_period_s_extension_changes_nothing(self) -> None:
        """It names one duty."""
        assert wall(at(LATER, a_duty(period="2023"), extension("2025-01-31 00:00", on="2024-12-01")).due_at) == (
            "2023-12-10 00:00"
        )

    def test_an_undated_duty_cannot_be_extended(self) -> None:
        """There is nothing to extend."""
        event = an_extension("x-1", rfc3339("2024-12-31 00:00"))
        event["data"].pop("period")
        assert history(a_duty(undated(), period=None), received(event, "2024-12-01 08:00"))[-1][1] == "open"


class TestExemption:
    """A duty is exempt if its due instant falls inside."""

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
        """Its beginning counts, its end does not; a span turned round releases nobody."""
        assert at(LATER, a_duty(), exemption(on="2024-06-01", since=since, until=until)).status.value == status

    def test_it_acts_from_its_day(self) -> None:
        """Decided after due, the overdue stretch stays in the record."""
        duty, lifted = a_duty(), exemption(on="2024-12-20")
        assert history(duty, lifted)[1:] == [(DUE, "overdue"), ("2024-12-20 00:00", "exempt")]
        assert at(LATER, duty, lifted).flags == ("was_overdue",)

    def test_an_exempt_agency_that_reports_anyway_stays_exempt(self) -> None:
        """Ruling 10."""
        found = at(LATER, a_duty(), exemption(on="2024-06-01"), report("2024-12-01 08:00"))
        assert (found.status.value, found.flags, found.submissions) == ("exempt", ("voluntary_report",), 1)

    def test_an_extension_out_of_the_span_ends_the_release(self) -> None:
        """The new due instant falls outside, so the report is owed again."""
        facts = exemption(on="2024-06-01"), extension("2025-03-01 00:00", on="2024-09-01")
        assert history(a_duty(), *facts)[1:] == [
            ("2024-06-01 00:00", "exempt"),
            ("2024-09-01 00:00", "pending"),
            ("2025-03-01 00:00", "overdue"),
        ]

    def test_an_undated_duty_is_released_while_the_span_lasts(self) -> None:
        """It has no instant that could fall inside."""
        lifted = exemption(on="2024-01-01", since="2024-03-01 00:00", until="2024-09-01 00:00")
        assert history(a_duty(undated(), period=None), lifted) == [
            ("2016-05-05 00:00", "open"),
            ("2024-03-01 00:00", "exempt"),
            ("2024-09-01 00:00", "open"),
        ]


class TestRevocation:
    """An exemption is taken back only with time left to report."""

    def test_it_sets_the_new_due_instant(self) -> None:
        """Pending again from the decision, overdue from the new instant."""
        facts = exemption(on="2024-06-01"), revocation("2025-02-01 00:00", on="2024-12-20")
        assert history(a_duty(), *facts)[1:] == [
            ("2024-06-01 00:00", "exempt"),
            ("2024-12-20 00:00", "pending"),
            ("2025-02-01 00:00", "overdue"),
        ]
        assert at(LATER, a_duty(), *facts).evidence == ("r-1",)

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
        """None, a passed one, or one that has passed when the revocation comes: the duty stays exempt."""
        facts = exemption(on="2024-06-01"), revocation(to, on="2024-12-20", received_at=received_at)
        found = at(LATER, a_duty(), *facts)
        assert (found.status.value, found.flags) == ("exempt", ("revocation_refused",))
        assert found.evidence == ("r-1", "e-1")

    def test_it_reopens_no_year_served_exempt(self) -> None:
        """Taken back in November 2025 with a date for 2025, an exemption of both years still covers 2024."""
        exempted = exemption(on="2024-06-01", until="2026-01-01 00:00")
        taken_back = revocation("2025-12-31 00:00", on="2025-12-11")
        assert history(a_duty(), exempted, taken_back)[-1] == ("2024-06-01 00:00", "exempt")

    def test_a_revocation_of_something_unknown_is_held(self) -> None:
        """It acts once its exemption is here."""
        held = revocation("2025-02-01 00:00", on="2024-12-20", of="e-9")
        assert at("2024-12-21 00:00", a_duty(), held, exemption(on="2024-06-01")).status.value == "exempt"

    def test_a_second_exemption_goes_on(self) -> None:
        """Only the one that is named ends."""
        facts = (
            exemption(on="2024-06-01"),
            exemption(on="2024-06-02", event="e-2", until="2026-01-01 00:00"),
            revocation("2025-02-01 00:00", on="2024-12-20"),
        )
        assert at(LATER, a_duty(), *facts).status.value == "exempt"

    def test_a_revocation_decided_before_its_exemption_finds_nothing_to_revoke(self) -> None:
        """Decisions act in the order of their days."""
        facts = exemption(on="2024-06-01"), revocation("2025-02-01 00:00", on="2024-05-01")
        assert at(LATER, a_duty(), *facts).status.value == "exempt"

    def test_a_duty_that_was_not_released_is_not_touched(self) -> None:
        """The exemption does not reach this due instant, so its end means nothing here."""
        elsewhere = exemption(on="2024-06-01", since="2025-01-01 00:00", until="2026-01-01 00:00")
        found = at(LATER, a_duty(), elsewhere, revocation("2025-02-01 00:00", on="2024-12-20"))
        assert (found.status.value, wall(found.due_at), found.evidence) == ("overdue", DUE, ())

    def test_a_later_duty_of_the_same_exemption_falls_due_when_the_plan_says(self) -> None:
        """A revocation moves what it makes due again, never forward of the plan's own date."""
        facts = exemption(on="2024-06-01", until="2027-01-01 00:00"), revocation("2025-02-01 00:00", on="2024-12-20")
        assert wall(at("2026-01-01 00:00", a_duty(period="2025"), *facts).due_at) == "2025-12-10 00:00"

    def test_an_ended_exemption_does_not_come_back_with_an_extension(self) -> None:
        """Moved into its span later, the due instant is not released."""
        facts = (
            exemption(on="2024-06-01", since="2025-01-01 00:00", until="2026-01-01 00:00"),
            revocation("2025-02-01 00:00", on="2024-08-01"),
            extension("2025-03-01 00:00", on="2024-09-01"),
        )
        assert history(a_duty(), *facts) == [("2024-01-01 00:00", "pending"), ("2025-03-01 00:00", "overdue")]

    def test_an_undated_duty_stays_undated(self) -> None:
        """It is open again, and never late."""
        facts = exemption(on="2024-01-01"), revocation("2024-09-01 00:00", on="2024-06-01")
        assert history(a_duty(undated(), period=None), *facts) == [
            ("2016-05-05 00:00", "open"),
            ("2024-01-01 00:00", "exempt"),
            ("2024-06-01 00:00", "open"),
        ]


def test_a_change_of_setting_does_not_reach_back() -> None:
    """A stricter version from 2025 leaves the report of 2024 complete."""
    old = a_version(to="2025-01-01")
    new = a_version(**{"from": "2025-01-01"}, requires={"sections": ["results", "more"]})
    assert at(LATER, a_duty(old, new), report("2024-12-01 08:00")).status.value == "on_time"
