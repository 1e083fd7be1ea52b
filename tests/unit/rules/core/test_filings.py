"""When a report counts (rulings 2, 4 and 5)."""

import pytest

from tests.support.assertions.spec import a_duty, at, history, received, rfc3339, undated, wall
from tests.support.builders.filings import EMPTY, LATER, in_the_end, outcome, report
from tests.support.builders.plans import a_submission, a_version, a_withdrawal


class TestBoundary:
    """On time if and only if effective before due."""

    @pytest.mark.parametrize(
        "received_at, status",
        [
            ("2024-12-09 23:59:59.999999", "on_time"),
            ("2024-12-10 00:00", "late"),
            ("2024-12-10 08:00", "late"),
            ("2024-01-01 00:00", "on_time"),
        ],
    )
    def test_the_last_microsecond_counts(self, received_at: str, status: str) -> None:
        """The day ends at 24:00, office hours or not."""
        assert in_the_end(report("s-1", received_at)).status.value == status

    def test_a_report_before_the_period_opened_counts_from_the_opening(self) -> None:
        """It was there when the duty began."""
        assert history(a_duty(), report("s-1", "2023-12-20 08:00")) == [("2024-01-01 00:00", "on_time")]


class TestEffectiveInstant:
    """Ruling 2: dispatch counts where its proof is out of the sender's hands."""

    @pytest.mark.parametrize(
        "proof, sent, basis, expected",
        [
            ("postmark", "2024-12-08 16:00", "dispatch", "2024-12-08 16:00"),
            ("exchange-log", "2024-12-08 16:00", "dispatch", "2024-12-08 16:00"),
            ("mail-gateway", "2024-12-08 16:00", "dispatch", "2024-12-08 16:00"),
            ("none", "2024-12-08 16:00", "dispatch", "2024-12-12 09:00"),
            ("postmark", "2024-12-08 16:00", "receipt", "2024-12-12 09:00"),
            ("postmark", "2024-12-13 16:00", "dispatch", "2024-12-12 09:00"),
            ("postmark", None, "dispatch", "2024-12-12 09:00"),
        ],
    )
    def test_only_a_proven_dispatch_moves_the_instant(
        self, proof: str, sent: str | None, basis: str, expected: str
    ) -> None:
        """A client's clock proves nothing, the setting may ask for receipt, and nothing is sent after it came."""
        dispatch = {"sent_at": sent and rfc3339(sent), "proof": proof, "reference": None}
        version = a_version(due={"month": 12, "day": 10, "basis": basis})
        found = in_the_end(report("s-1", "2024-12-12 09:00", dispatch=dispatch), version=version)
        assert wall(found.effective_at) == expected

    def test_an_undated_duty_takes_the_dispatch(self) -> None:
        """There is no setting to ask for anything else."""
        dispatch = {"sent_at": rfc3339("2024-12-08 16:00"), "proof": "postmark", "reference": None}
        fact = report("s-1", "2024-12-12 09:00", dispatch=dispatch, period=None)
        assert history(a_duty(undated(), period=None), fact)[-1] == ("2024-12-08 16:00", "fulfilled")


class TestCorrections:
    """Ruling 4: completed later takes the time of completion; a correction of a complete report keeps the first."""

    def test_an_incomplete_report_is_on_file_and_discharges_nothing(self) -> None:
        """Before due it is incomplete, past due it is incomplete and flagged."""
        duty, short = a_duty(), report("s-1", "2024-12-01 08:00", content=EMPTY)
        assert [at(when, duty, short).flags for when in ("2024-12-02 00:00", LATER)] == [
            (),
            ("first_sent_on_time", "past_due"),
        ]
        assert history(duty, short)[-1] == ("2024-12-01 08:00", "incomplete")
        assert at(LATER, duty, short).missing == ("sections.results",)

    def test_completed_after_due_is_late_and_remembers_the_first_sending(self) -> None:
        """The time of completion decides."""
        facts = (
            report("s-1", "2024-12-01 08:00", content=EMPTY),
            report("s-2", "2024-12-15 08:00", corrects="s-1"),
        )
        assert outcome(in_the_end(*facts)) == ("late", "2024-12-15 08:00", 1, ("first_sent_on_time",))

    def test_a_late_first_sending_is_plainly_late(self) -> None:
        """Nothing was sent on time, so no flag says so."""
        assert outcome(in_the_end(report("s-1", "2024-12-11 08:00"))) == ("late", "2024-12-11 08:00", 1, ())

    def test_a_correction_keeps_the_first_complete_time(self) -> None:
        """Amended after the deadline, still on time."""
        facts = report("s-1", "2024-12-01 08:00"), report("s-2", "2024-12-15 08:00", corrects="s-1")
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-01 08:00", 1, ("amended_after_deadline",))

    def test_an_amendment_before_the_deadline_raises_no_flag(self) -> None:
        """There was time."""
        facts = report("s-1", "2024-12-01 08:00"), report("s-2", "2024-12-02 08:00", corrects="s-1")
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-01 08:00", 1, ())

    def test_a_correction_replaces_what_it_corrects(self) -> None:
        """A correction that lost its content makes it incomplete; the next one heals it back to the first time."""
        first, empty = (
            report("s-1", "2024-12-01 08:00"),
            report("s-2", "2024-12-02 08:00", corrects="s-1", content=EMPTY),
        )
        healed = report("s-3", "2024-12-03 08:00", corrects="s-2")
        assert in_the_end(first, empty).status.value == "incomplete"
        assert outcome(in_the_end(first, empty, healed)) == ("on_time", "2024-12-01 08:00", 1, ())

    def test_of_two_corrections_of_one_report_the_later_counts(self) -> None:
        """The last word stands, whichever was complete."""
        first = report("s-1", "2024-12-01 08:00")
        good = report("s-2", "2024-12-02 08:00", corrects="s-1")
        bad = report("s-3", "2024-12-03 08:00", corrects="s-1", content=EMPTY)
        assert in_the_end(first, good, bad).status.value == "incomplete"

    def test_a_correction_that_came_first_is_held_until_its_target_is_here(self) -> None:
        """Held, not dropped: the order of arrival makes no difference in the end."""
        duty = a_duty()
        early = report("s-2", "2024-12-01 08:00", corrects="s-1")
        target = report("s-1", "2024-12-05 08:00")
        assert at(LATER, duty, early).status.value == "overdue"
        assert outcome(at(LATER, duty, early, target))[:3] == ("on_time", "2024-12-01 08:00", 1)

    def test_corrections_in_a_circle_count_for_nothing(self) -> None:
        """Each waits for the other."""
        facts = report("s-1", "2024-12-01 08:00", corrects="s-2"), report("s-2", "2024-12-02 08:00", corrects="s-1")
        assert in_the_end(*facts).status.value == "overdue"

    def test_a_chain_that_keeps_its_number_is_no_duplicate(self) -> None:
        """A correction of a correction carries the same number without being a copy."""
        facts = (
            report("s-1", "2024-12-01 08:00", number="215/BC-UBND"),
            report("s-2", "2024-12-02 08:00", number="215/BC-UBND", corrects="s-1"),
            report("s-3", "2024-12-03 08:00", number="215/BC-UBND", corrects="s-2"),
        )
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-01 08:00", 1, ())


class TestWithdrawals:
    """Ruling 5: a withdrawn report counts up to its withdrawal, not after."""

    def test_a_report_counts_until_it_is_withdrawn(self) -> None:
        """Pending again before due, overdue after."""
        facts = report("s-1", "2024-12-01 08:00"), received(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00")
        assert history(a_duty(), *facts) == [
            ("2024-01-01 00:00", "pending"),
            ("2024-12-01 08:00", "on_time"),
            ("2024-12-05 08:00", "pending"),
            ("2024-12-10 00:00", "overdue"),
        ]
        assert outcome(at(LATER, a_duty(), *facts)) == ("overdue", None, 0, ("withdrawn",))

    def test_withdrawing_a_correction_brings_back_what_it_corrected(self) -> None:
        """The complete first version stands again."""
        facts = (
            report("s-1", "2024-12-01 08:00"),
            report("s-2", "2024-12-02 08:00", corrects="s-1", content=EMPTY),
            received(a_withdrawal("w-1", "s-2"), "2024-12-03 08:00"),
        )
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-01 08:00", 1, ("withdrawn",))

    def test_a_withdrawal_that_came_first_waits_for_its_report(self) -> None:
        """The report never counts, and until it came nothing was withdrawn."""
        duty = a_duty()
        facts = received(a_withdrawal("w-1", "s-1"), "2024-12-01 08:00"), report("s-1", "2024-12-05 08:00")
        assert history(duty, *facts) == [("2024-01-01 00:00", "pending"), ("2024-12-10 00:00", "overdue")]
        assert at("2024-12-02 00:00", duty, *facts).flags == ()
        assert at("2024-12-06 00:00", duty, *facts).flags == ("withdrawn",)

    def test_the_first_withdrawal_counts(self) -> None:
        """Withdrawing twice changes nothing."""
        facts = (
            report("s-1", "2024-12-01 08:00"),
            received(a_withdrawal("w-2", "s-1"), "2024-12-06 08:00"),
            received(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00"),
        )
        assert history(a_duty(), *facts)[2] == ("2024-12-05 08:00", "pending")
        assert at(LATER, a_duty(), *facts).evidence == ("s-1", "w-1")

    def test_a_withdrawal_names_the_report_of_its_own_source_first(self) -> None:
        """Ids are unique only within a source."""
        other = received(a_submission("s-1", source="khac"), "2024-11-30 08:00")
        own = report("s-1", "2024-12-01 08:00")
        found = in_the_end(other, own, received(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00"))
        assert outcome(found) == ("on_time", "2024-11-30 08:00", 1, ("withdrawn",))

    def test_a_withdrawal_of_nothing_known_changes_nothing(self) -> None:
        """It is held."""
        facts = report("s-1", "2024-12-01 08:00"), received(a_withdrawal("w-1", "s-9"), "2024-12-05 08:00")
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-01 08:00", 1, ())
