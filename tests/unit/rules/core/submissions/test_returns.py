"""What a return does, what answers it, and what takes it back (ruling 14). The usual duty is due on 10 December."""

import pytest

from schemas.events.wire import WireSegment
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, a_fact, instant, rfc3339, segment_at, status_history, wall
from tests.support.builders.filings import EMPTY, a_report, final_segment, summarise
from tests.support.builders.plans import (
    SINCE,
    Json,
    a_reassignment,
    a_registry,
    a_return,
    a_withdrawal,
    an_acceptance,
    an_agency,
    an_exemption,
)

SENT, RETURNED_ON, TERM = "2024-12-05 08:00", "2024-12-12 09:00", "2024-12-21 00:00"
IN_TIME, TOO_LATE = "2024-12-20 17:00", "2024-12-23 08:00"
GIVEN_BACK = ("on_time", SENT, 1, ("returned_and_corrected", "amended_after_deadline"))


def a_return_fact(of: str = "s-1", *, on: str = RETURNED_ON, by: str | None = TERM, event: str = "b-1") -> Fact:
    """Build the return of a report, with an instant to respond by unless *by* is None."""
    return a_fact(a_return(event, of, respond_by=rfc3339(by) if by else None), on)


def an_acceptance_fact(of: str = "s-1", *, on: str, event: str = "a-1") -> Fact:
    """Build the acceptance of a report."""
    return a_fact(an_acceptance(event, of), on)


def a_correction(on: str, *, of: str = "s-1", event: str = "s-2", content: Json | None = None) -> Fact:
    """Build the correction of a report."""
    return a_report(event, on, corrects=of, content=content)


def judge(*facts: Fact, at: str = "2025-06-01 00:00") -> tuple[str, tuple[str, ...], str | None]:
    """Return status, missing parts and the instant to respond by."""
    found = segment_at(at, a_duty(), *facts)
    return found.status.value, found.missing, wall(found.respond_by)


def summarise_at(at: str, *facts: Fact) -> WireSegment:
    """Return the answer about the usual duty at a wall time."""
    return segment_at(at, a_duty(), *facts)


class TestReturned:
    """A return acts from its receipt, while what it names is current."""

    def test_a_returned_report_is_incomplete_from_the_receipt_of_the_return_on(self) -> None:
        """The report counts until the return is received; then the duty is incomplete and `returned` is missing."""
        facts = a_report("s-1", SENT), a_return_fact()
        assert judge(*facts, at="2024-12-12 08:59") == ("on_time", (), None)
        assert judge(*facts) == ("incomplete", ("returned",), TERM)
        assert summarise(final_segment(*facts)) == ("incomplete", SENT, 1, ("first_sent_on_time", "past_due"))

    def test_what_the_report_lacks_follows_after_returned(self) -> None:
        """Of an incomplete report `missing` begins with `returned` and goes on with what it lacks."""
        facts = a_report("s-1", SENT, content=EMPTY), a_return_fact(by=None)
        assert judge(*facts) == ("incomplete", ("returned", "sections.results"), None)

    def test_a_copy_is_returned_with_what_is_named(self) -> None:
        """The same document by another channel, before or after the return, is returned as well."""
        early, late = (a_report("s-2", on, number="1/BC") for on in ("2024-12-06 08:00", "2024-12-15 08:00"))
        for copy in (early, late):
            facts = a_report("s-1", SENT, number="1/BC"), a_return_fact(), copy
            assert judge(*facts) == ("incomplete", ("returned",), TERM)

    def test_the_copy_may_be_the_one_that_is_named(self) -> None:
        """A return that names the copy of a correction returns the correction that is current."""
        facts = (
            a_report("s-1", SENT),
            a_report("s-2", "2024-12-07 08:00", number="2/BC", corrects="s-1"),
            a_report("s-3", "2024-12-07 09:00", number="2/BC"),
            a_return_fact("s-3"),
        )
        assert judge(*facts) == ("incomplete", ("returned",), TERM)

    def test_a_correction_in_effect_before_the_return_is_not_touched(self) -> None:
        """A return that names a report already corrected changes nothing, even in the same instant."""
        for on in ("2024-12-08 08:00", RETURNED_ON):
            facts = a_report("s-1", SENT), a_correction(on), a_return_fact()
            found = final_segment(*facts)
            assert (found.status.value, wall(found.effective_at)) == ("on_time", SENT)
            assert "returned_and_corrected" not in found.flags

    def test_another_document_stands_beside_and_discharges_by_itself(self) -> None:
        """A complete report with another number discharges the duty from its own time; the returned one stays."""
        facts = a_report("s-1", SENT), a_return_fact(), a_report("s-2", IN_TIME)
        found = final_segment(*facts)
        assert summarise(found) == ("late", IN_TIME, 2, ("first_sent_on_time", "needs_reconciliation"))
        assert (found.missing, found.standing and found.standing.id) == ((), "s-2")

    def test_beside_an_incomplete_document_the_returned_one_is_still_asked_for(self) -> None:
        """While nothing complete stands beside it, `returned` begins what is missing."""
        facts = a_report("s-1", SENT), a_return_fact(), a_report("s-2", IN_TIME, content=EMPTY)
        assert judge(*facts) == ("incomplete", ("returned", "sections.results"), TERM)

    def test_a_return_whose_report_is_not_here_is_held(self) -> None:
        """It acts once the report is known, and not before."""
        held = a_return_fact(on="2024-12-04 08:00")
        assert status_history(a_duty(), held) == status_history(a_duty())
        assert status_history(a_duty(), held, a_report("s-1", SENT))[1] == (SENT, "incomplete")

    def test_a_return_follows_the_report_to_the_period_that_it_is_moved_to(self) -> None:
        """A report that was returned under one period and then reassigned is returned in the other."""
        moved = a_fact(a_reassignment("m-1", "s-1", to="2025"), "2024-12-13 09:00")
        facts = a_report("s-1", SENT), a_return_fact(), moved
        assert segment_at("2025-06-01 00:00", a_duty(period="2025"), *facts).missing == ("returned",)
        assert segment_at("2025-06-01 00:00", a_duty(), *facts).status.value == "overdue"


class TestAnswered:
    """A complete correction answers a return."""

    def test_in_time_it_gives_the_duty_back_its_instant(self) -> None:
        """A complete correction before `respond_by` counts from when the report counted, whatever the due instant."""
        assert summarise(final_segment(a_report("s-1", SENT), a_return_fact(), a_correction(IN_TIME))) == GIVEN_BACK

    def test_without_a_limit_it_is_always_in_time(self) -> None:
        """A return without `respond_by` is answered in time months later."""
        facts = a_report("s-1", SENT), a_return_fact(by=None), a_correction("2025-05-01 08:00")
        assert summarise(final_segment(*facts)) == GIVEN_BACK

    @pytest.mark.parametrize("on", [TERM, TOO_LATE])
    def test_at_respond_by_or_later_it_counts_from_its_own_time(self, on: str) -> None:
        """`respond_by` is exclusive: from that instant on a correction counts from its own time."""
        found = summarise(final_segment(a_report("s-1", SENT), a_return_fact(), a_correction(on)))
        assert found == ("late", on, 1, ("first_sent_on_time", "amended_after_deadline"))

    def test_a_report_that_never_was_complete_counts_from_its_correction(self) -> None:
        """There is no instant to give back to a report that was not complete when it was returned."""
        facts = a_report("s-1", SENT, content=EMPTY), a_return_fact(), a_correction(IN_TIME)
        assert summarise(final_segment(*facts)) == ("late", IN_TIME, 1, ("first_sent_on_time",))

    def test_a_late_report_stays_as_late_as_it_was(self) -> None:
        """What is given back is the instant of the report, also where that was late."""
        facts = a_report("s-1", "2024-12-11 08:00"), a_return_fact(), a_correction(IN_TIME)
        assert summarise(final_segment(*facts))[:2] == ("late", "2024-12-11 08:00")

    def test_an_incomplete_correction_answers_nothing(self) -> None:
        """It is current and incomplete; the complete one that follows it in time answers."""
        facts = a_report("s-1", SENT), a_return_fact(), a_correction("2024-12-14 08:00", content=EMPTY)
        assert judge(*facts) == ("incomplete", ("sections.results",), None)
        answered = *facts, a_correction(IN_TIME, of="s-2", event="s-3")
        assert summarise(final_segment(*answered)) == GIVEN_BACK

    def test_a_correction_may_carry_the_number_of_what_it_corrects(self) -> None:
        """Not even a copy of the first report makes the correction a copy: it says what it corrects."""
        facts = (
            a_report("s-1", SENT, number="1/BC"),
            a_report("s-2", "2024-12-06 08:00", number="1/BC"),
            a_return_fact("s-2"),
            a_report("s-3", IN_TIME, number="1/BC", corrects="s-1"),
        )
        assert summarise(final_segment(*facts))[:2] == ("on_time", SENT)

    def test_a_later_correction_keeps_what_was_given_back(self) -> None:
        """Once answered in time, a further correction after `respond_by` changes no instant (ruling 4)."""
        facts = a_report("s-1", SENT), a_return_fact(), a_correction(IN_TIME)
        assert summarise(final_segment(*facts, a_correction(TOO_LATE, of="s-2", event="s-3"))) == GIVEN_BACK

    def test_once_answered_late_a_further_correction_keeps_that_time(self) -> None:
        """The first complete correction after `respond_by` sets the time, not the last."""
        facts = a_report("s-1", SENT), a_return_fact(), a_correction(TOO_LATE)
        assert summarise(final_segment(*facts, a_correction("2024-12-28 08:00", of="s-2", event="s-3")))[1] == TOO_LATE

    def test_a_withdrawn_answer_leaves_the_report_returned(self) -> None:
        """After the correction is withdrawn the returned version is current again, and can be answered again."""
        withdrawn = a_fact(a_withdrawal("w-1", "s-2"), "2024-12-17 08:00")
        facts = a_report("s-1", SENT), a_return_fact(), a_correction("2024-12-15 08:00"), withdrawn
        assert judge(*facts) == ("incomplete", ("returned",), TERM)
        assert summarise(final_segment(*facts, a_correction(IN_TIME, event="s-3")))[:2] == ("on_time", SENT)


class TestSeveralReturns:
    """Of several returns of one report the last received sets the limit; the return of a correction begins anew."""

    def test_the_last_received_sets_the_limit(self) -> None:
        """A second return of the same report moves `respond_by`, further away or nearer."""
        report, first = a_report("s-1", SENT), a_return_fact()
        longer = a_return_fact(on="2024-12-13 09:00", by="2024-12-31 00:00", event="b-2")
        shorter = a_return_fact(on="2024-12-13 09:00", by="2024-12-15 00:00", event="b-2")
        assert summarise(final_segment(report, first, longer, a_correction(TOO_LATE)))[1] == SENT
        assert summarise(final_segment(report, first, shorter, a_correction(IN_TIME)))[1] == IN_TIME
        assert final_segment(report, first, longer).returns == 2

    def test_a_limit_that_has_passed_may_be_set_anew(self) -> None:
        """A return received after the first limit has passed gives the agency time again."""
        again = a_return_fact(on="2024-12-22 09:00", by="2024-12-31 00:00", event="b-2")
        facts = a_report("s-1", SENT), a_return_fact(), again, a_correction(TOO_LATE)
        assert summarise(final_segment(*facts))[:2] == ("on_time", SENT)

    def test_the_return_of_a_correction_begins_anew(self) -> None:
        """A correction answered late is returned: what is given back is the time of that correction."""
        facts = (
            a_report("s-1", SENT),
            a_return_fact(),
            a_correction(TOO_LATE),
            a_return_fact("s-2", on="2024-12-24 09:00", by="2025-01-10 00:00", event="b-2"),
        )
        assert judge(*facts) == ("incomplete", ("returned",), "2025-01-10 00:00")
        found = final_segment(*facts, a_correction("2025-01-05 08:00", of="s-2", event="s-3"))
        assert (found.status.value, wall(found.effective_at)) == ("late", TOO_LATE)
        assert "returned_and_corrected" in found.flags

    def test_a_return_of_the_first_report_does_not_touch_its_correction(self) -> None:
        """After a correction is in effect, another return of what it corrected changes nothing."""
        again = a_return_fact(on="2024-12-22 09:00", by="2024-12-31 00:00", event="b-2")
        assert (
            summarise(final_segment(a_report("s-1", SENT), a_return_fact(), a_correction(IN_TIME), again)) == GIVEN_BACK
        )


class TestWithdrawn:
    """Returned and then withdrawn is withdrawn; a withdrawal revives no version that was returned with it."""

    def test_a_returned_report_that_is_withdrawn_is_withdrawn(self) -> None:
        """Nothing is on file then, and the duty is overdue."""
        withdrawn = a_fact(a_withdrawal("w-1", "s-1"), "2024-12-14 08:00")
        found = final_segment(a_report("s-1", SENT), a_return_fact(), withdrawn)
        assert (found.status.value, found.flags, found.missing) == ("overdue", ("withdrawn",), ())

    @pytest.mark.parametrize("withdrawn_on", ["2024-12-11 08:00", "2024-12-14 08:00"])
    def test_the_version_that_a_returned_correction_corrected_is_returned_too(self, withdrawn_on: str) -> None:
        """A returned correction that is withdrawn, before the return or after it, leaves a returned report."""
        withdrawn = a_fact(a_withdrawal("w-1", "s-2"), withdrawn_on)
        facts = a_report("s-1", SENT), a_correction("2024-12-08 08:00"), a_return_fact("s-2"), withdrawn
        assert judge(*facts) == ("incomplete", ("returned",), TERM)


class TestAccepted:
    """An acceptance changes no status, and takes an earlier return of the same report back."""

    def test_an_acceptance_is_a_flag_while_the_version_is_current(self) -> None:
        """The flag stands from the receipt of the acceptance until a correction is current."""
        facts = a_report("s-1", SENT), an_acceptance_fact(on="2024-12-06 08:00")
        assert summarise(final_segment(*facts)) == ("on_time", SENT, 1, ("accepted",))
        assert "accepted" not in final_segment(*facts, a_correction("2024-12-08 08:00")).flags

    def test_an_incomplete_report_stays_incomplete(self) -> None:
        """To accept a report that lacks something completes nothing."""
        facts = a_report("s-1", SENT, content=EMPTY), an_acceptance_fact(on="2024-12-06 08:00")
        assert judge(*facts) == ("incomplete", ("sections.results",), None)

    def test_received_after_a_return_it_takes_that_return_back(self) -> None:
        """The report counts as if it had not been returned, also where its correction came too late."""
        facts = a_report("s-1", SENT), a_return_fact(), an_acceptance_fact(on="2024-12-14 08:00")
        found = final_segment(*facts)
        assert summarise(found) == ("on_time", SENT, 1, ("accepted",))
        assert found.returns == 0
        late = final_segment(*facts[:2], a_correction(TOO_LATE), an_acceptance_fact(on="2024-12-24 08:00"))
        assert (late.status.value, wall(late.effective_at)) == ("on_time", SENT)

    def test_it_takes_back_no_later_return_and_none_of_another_version(self) -> None:
        """A report that was accepted may be returned; the acceptance of a report leaves its correction returned."""
        accepted = an_acceptance_fact(on="2024-12-06 08:00")
        assert judge(a_report("s-1", SENT), accepted, a_return_fact()) == ("incomplete", ("returned",), TERM)
        facts = (
            a_report("s-1", SENT),
            a_correction("2024-12-08 08:00"),
            a_return_fact("s-2"),
            an_acceptance_fact(on="2024-12-14 08:00"),
        )
        assert judge(*facts) == ("incomplete", ("returned",), TERM)

    def test_the_acceptance_of_a_copy_is_one_of_the_report(self) -> None:
        """The same document by another channel is the same submission (ruling 6)."""
        facts = (
            a_report("s-1", SENT, number="1/BC"),
            a_report("s-2", "2024-12-06 08:00", number="1/BC"),
            a_return_fact("s-1"),
            an_acceptance_fact("s-2", on="2024-12-14 08:00"),
        )
        assert summarise(final_segment(*facts)) == ("on_time", SENT, 1, ("accepted", "duplicate"))


class TestOtherStatuses:
    """`exempt`, `superseded` and `ended_no_successor` stay."""

    def test_an_exempt_agency_stays_exempt(self) -> None:
        """The return of a voluntary report changes no status, but is said."""
        exemption = a_fact(
            an_exemption("e-1", rfc3339("2024-12-01 00:00"), rfc3339("2025-01-01 00:00")), "2024-11-21 08:00"
        )
        found = final_segment(exemption, a_report("s-1", SENT), a_return_fact())
        assert (found.status.value, found.missing) == ("exempt", ("returned",))

    @pytest.mark.parametrize("heirs, status", [(["h-hai"], "superseded"), ([], "ended_no_successor")])
    def test_an_agency_that_ended_before_due_owes_nothing(self, heirs: list[str], status: str) -> None:
        """The return of what it filed does not reopen its duty."""
        ending = an_agency("h-mot", valid={"from": SINCE, "to": "2024-12-06"})
        kind = "merge_into" if heirs else "abolish"
        succession = {"type": kind, "from": ["h-mot"], "to": heirs, "on": "2024-12-06"}
        registry = a_registry(ending, an_agency("h-hai"), successions=[succession])
        facts = a_report("s-1", SENT, content=EMPTY), a_return_fact()
        assert segment_at("2025-06-01 00:00", a_duty(registry=registry), *facts).status.value == status


def test_a_return_and_an_acceptance_are_evidence_behind_the_report_that_they_name() -> None:
    """The ids stand after the report, in order of time, from when they act."""
    facts = (
        a_report("s-1", SENT),
        a_return_fact(),
        an_acceptance_fact(on="2024-12-14 08:00"),
        a_correction("2024-12-15 08:00"),
    )
    assert summarise_at("2024-12-10 00:00", *facts).evidence == ("s-1",)
    assert summarise_at("2024-12-20 00:00", *facts).evidence == ("s-1", "b-1", "a-1", "s-2")
    assert instant(RETURNED_ON) == summarise_at("2024-12-13 00:00", *facts).starts_at
