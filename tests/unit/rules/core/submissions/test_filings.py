"""When a report counts: effective instant, corrections and withdrawals (rulings 1, 2, 4, 5 and 12)."""

import pytest

from tests.support.assertions.spec import a_duty, a_fact, an_undated_version, rfc3339, segment_at, status_history, wall
from tests.support.builders.filings import EMPTY, LATER, a_report, final_segment, summarise
from tests.support.builders.plans import Json, a_reassignment, a_submission, a_version, a_withdrawal


class TestBoundary:
    """Ruling 1: a report is on time iff it is effective before due."""

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
        """A report in the last microsecond before due is on time, and one at due is late."""
        assert final_segment(a_report("s-1", received_at)).status.value == status

    def test_a_report_before_the_period_opened_counts_from_the_opening(self) -> None:
        """A report received before the period opens counts from the opening."""
        assert status_history(a_duty(), a_report("s-1", "2023-12-20 08:00")) == [("2024-01-01 00:00", "on_time")]


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
        """The dispatch counts only with a trusted proof, under `basis: dispatch`, and if it precedes the receipt."""
        dispatch = {"sent_at": sent and rfc3339(sent), "proof": proof, "reference": "RR1"}
        version = a_version(due={"month": 12, "day": 10, "basis": basis})
        found = final_segment(a_report("s-1", "2024-12-12 09:00", dispatch=dispatch), version=version)
        assert wall(found.effective_at) == expected

    def test_an_undated_duty_takes_the_dispatch(self) -> None:
        """A proven dispatch counts for an undated duty, which has no setting that could ask for the receipt."""
        dispatch = {"sent_at": rfc3339("2024-12-08 16:00"), "proof": "postmark", "reference": "RR1"}
        fact = a_report("s-1", "2024-12-12 09:00", dispatch=dispatch, period=None)
        assert status_history(a_duty(an_undated_version(), period=None), fact)[-1] == ("2024-12-08 16:00", "fulfilled")


class TestProofOfDispatch:
    """Ruling 12: which proofs of dispatch hold, and what is said of one that does not."""

    RECEIVED = "2024-12-12 09:00"

    def report(self, sent: str | None, *, reference: str | None = "RR1", issued_on: str = "2024-12-01") -> Json:
        """Build a report that states a postmark."""
        dispatch = {"sent_at": sent and rfc3339(sent), "proof": "postmark", "reference": reference}
        document = {"number": "1/BC", "issued_on": issued_on, "signed_by": "A", "title": ""}
        return a_submission("s-1", data={"dispatch": dispatch, "document": document})

    def judge(self, event: Json, *, basis: str = "dispatch") -> tuple[str, str | None, tuple[str, ...]]:
        """Return status, effective instant and flags of the usual duty with *event* on file."""
        version = a_version(due={"month": 12, "day": 10, "basis": basis})
        found = final_segment(a_fact(event, self.RECEIVED), version=version)
        return found.status.value, wall(found.effective_at), found.flags

    def test_a_proof_that_holds_counts_without_a_flag(self) -> None:
        """Permitted, with a reference, on or after the document's day: on the very day is enough."""
        assert self.judge(self.report("2024-12-01 00:00")) == ("on_time", "2024-12-01 00:00", ())

    @pytest.mark.parametrize(
        "changes",
        [
            {"sent": "2024-12-08 16:00", "reference": None},
            {"sent": "2024-12-08 16:00", "reference": " \t\u200b"},
            {"sent": "2024-11-30 23:59:59"},
            {"sent": "2024-12-08 16:00", "issued_on": "2024-12-09"},
            {"sent": None},
        ],
        ids=["no reference", "blank reference", "before the document", "document after", "no time"],
    )
    def test_a_proof_that_does_not_hold_leaves_the_receipt_and_a_flag(self, changes: Json) -> None:
        """The report is late from its receipt, and the flag tells why its dispatch does not count."""
        assert self.judge(self.report(**changes)) == ("late", self.RECEIVED, ("dispatch_unproven",))

    @pytest.mark.parametrize("sent", ["2016-05-04 23:59:59", "1999-12-31 12:00", "0001-01-02 00:00"])
    def test_nothing_was_dispatched_before_the_plan_was_issued(self, sent: str) -> None:
        """A document may be dated before the plan; a dispatch that counts for the plan is not."""
        assert self.judge(self.report(sent, issued_on="0001-01-01")) == ("late", self.RECEIVED, ("dispatch_unproven",))

    def test_what_intake_has_marked_does_not_count(self) -> None:
        """The key of the sender may not state the proof. A fact without the attribute counts as permitted."""
        event = self.report("2024-12-08 16:00")
        assert self.judge(event | {"dispatchproof": "unproven"}) == ("late", self.RECEIVED, ("dispatch_unproven",))
        assert self.judge(event)[0] == "on_time"

    def test_a_dispatch_after_the_receipt_counts_as_the_receipt(self) -> None:
        """Without a flag: the clock of the gateway is wrong, its proof is none the worse."""
        assert self.judge(self.report("2024-12-13 09:00")) == ("late", self.RECEIVED, ())

    def test_without_a_proof_or_where_the_receipt_counts_there_is_no_flag(self) -> None:
        """There is no claim that could be unproven."""
        none = self.report("2024-12-08 16:00", reference=None)
        none["data"]["dispatch"]["proof"] = "none"
        assert self.judge(none | {"dispatchproof": "unproven"}) == ("late", self.RECEIVED, ())
        unproven = self.report("2024-12-08 16:00", reference=None)
        assert self.judge(unproven, basis="receipt") == ("late", self.RECEIVED, ())

    def test_the_flag_goes_with_the_report(self) -> None:
        """Of several on file one with an unproven dispatch is enough; once it is withdrawn the flag is gone."""
        unproven = a_fact(self.report("2024-12-08 16:00", reference=None), "2024-12-05 08:00")
        other, withdrawal = a_report("s-2", "2024-12-06 08:00"), a_fact(a_withdrawal("w-1", "s-1"), "2024-12-07 08:00")
        assert final_segment(unproven, other).flags == ("dispatch_unproven", "needs_reconciliation")
        assert final_segment(unproven, other, withdrawal).flags == ("withdrawn",)


class TestCorrections:
    """Ruling 4: completed later takes the time of completion; a correction of a complete report keeps the first."""

    def test_an_incomplete_report_is_on_file_and_discharges_nothing(self) -> None:
        """An incomplete report leaves the duty incomplete before and after due, with flags after it."""
        duty, short = a_duty(), a_report("s-1", "2024-12-01 08:00", content=EMPTY)
        assert [segment_at(when, duty, short).flags for when in ("2024-12-02 00:00", LATER)] == [
            (),
            ("first_sent_on_time", "past_due"),
        ]
        assert status_history(duty, short)[-1] == ("2024-12-01 08:00", "incomplete")
        assert segment_at(LATER, duty, short).missing == ("sections.results",)

    def test_completed_after_due_is_late_and_remembers_the_first_sending(self) -> None:
        """A report completed after due is late from its completion, with the flag `first_sent_on_time`."""
        facts = (
            a_report("s-1", "2024-12-01 08:00", content=EMPTY),
            a_report("s-2", "2024-12-15 08:00", corrects="s-1"),
        )
        assert summarise(final_segment(*facts)) == ("late", "2024-12-15 08:00", 1, ("first_sent_on_time",))

    def test_a_late_first_sending_is_plainly_late(self) -> None:
        """A report first sent after due is late without the flag `first_sent_on_time`."""
        assert summarise(final_segment(a_report("s-1", "2024-12-11 08:00"))) == ("late", "2024-12-11 08:00", 1, ())

    def test_a_correction_keeps_the_first_complete_time(self) -> None:
        """A report that is corrected after due keeps its first complete time, with `amended_after_deadline`."""
        facts = a_report("s-1", "2024-12-01 08:00"), a_report("s-2", "2024-12-15 08:00", corrects="s-1")
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-01 08:00", 1, ("amended_after_deadline",))

    def test_an_amendment_before_the_deadline_raises_no_flag(self) -> None:
        """A correction before due raises no flag."""
        facts = a_report("s-1", "2024-12-01 08:00"), a_report("s-2", "2024-12-02 08:00", corrects="s-1")
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-01 08:00", 1, ())

    def test_a_correction_replaces_what_it_corrects(self) -> None:
        """An incomplete correction makes the duty incomplete; a complete one after it restores the first time."""
        first, empty = (
            a_report("s-1", "2024-12-01 08:00"),
            a_report("s-2", "2024-12-02 08:00", corrects="s-1", content=EMPTY),
        )
        healed = a_report("s-3", "2024-12-03 08:00", corrects="s-2")
        assert final_segment(first, empty).status.value == "incomplete"
        assert summarise(final_segment(first, empty, healed)) == ("on_time", "2024-12-01 08:00", 1, ())

    def test_of_two_corrections_of_one_report_the_later_counts(self) -> None:
        """Of two corrections of one report the later counts, even if only the earlier was complete."""
        first = a_report("s-1", "2024-12-01 08:00")
        good = a_report("s-2", "2024-12-02 08:00", corrects="s-1")
        bad = a_report("s-3", "2024-12-03 08:00", corrects="s-1", content=EMPTY)
        assert final_segment(first, good, bad).status.value == "incomplete"

    def test_a_correction_that_came_first_stands_alone_until_its_target_is_here(self) -> None:
        """A correction whose target is unknown is a report of its own; once the target is known both are one."""
        duty = a_duty()
        early = a_report("s-2", "2024-12-12 08:00", corrects="s-1")
        target = a_report("s-1", "2024-12-05 08:00")
        assert summarise(segment_at(LATER, duty, early)) == ("late", "2024-12-12 08:00", 1, ())
        found = summarise(segment_at(LATER, duty, early, target))
        assert found == ("on_time", "2024-12-05 08:00", 1, ("amended_after_deadline",))

    def test_an_incomplete_correction_of_an_unknown_report_stays_incomplete(self) -> None:
        """Its content counts, also once a complete target is known (ruling 13)."""
        empty = a_report("s-2", "2024-12-01 08:00", corrects="s-1", content=EMPTY)
        target = a_report("s-1", "2024-12-05 08:00")
        assert final_segment(empty).status.value == "incomplete"
        assert final_segment(empty, target).status.value == "incomplete"

    def test_a_correction_stands_alone_when_its_target_was_moved_away(self) -> None:
        """The target is looked for among the reports of the duty, after reassignments."""
        target = a_report("s-1", "2024-12-01 08:00")
        correction = a_report("s-2", "2024-12-02 08:00", corrects="s-1")
        moved = a_fact(a_reassignment("m-1", "s-1", from_="2024", to="2023"), "2024-12-03 08:00")
        assert summarise(final_segment(target, correction, moved)) == ("on_time", "2024-12-02 08:00", 1, ())

    def test_corrections_in_a_circle_each_stand_alone(self) -> None:
        """Corrections that name each other are two reports; what corrects one of them belongs to it."""
        one = a_report("s-1", "2024-12-01 08:00", corrects="s-2")
        other = a_report("s-2", "2024-12-02 08:00", corrects="s-1")
        correction = a_report("s-3", "2024-12-03 08:00", corrects="s-2")
        assert summarise(final_segment(one, other)) == ("on_time", "2024-12-01 08:00", 2, ("needs_reconciliation",))
        assert final_segment(one, other, correction).submissions == 2

    def test_a_report_that_corrects_itself_stands_alone(self) -> None:
        """It is the smallest circle."""
        assert final_segment(a_report("s-1", "2024-12-01 08:00", corrects="s-1")).status.value == "on_time"

    def test_a_chain_that_keeps_its_number_is_no_duplicate(self) -> None:
        """Corrections that carry the number of what they correct are no copies of it."""
        facts = (
            a_report("s-1", "2024-12-01 08:00", number="215/BC-UBND"),
            a_report("s-2", "2024-12-02 08:00", number="215/BC-UBND", corrects="s-1"),
            a_report("s-3", "2024-12-03 08:00", number="215/BC-UBND", corrects="s-2"),
        )
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-01 08:00", 1, ())


class TestWithdrawals:
    """Ruling 5: a withdrawn report counts up to its withdrawal, not after."""

    def test_a_report_counts_until_it_is_withdrawn(self) -> None:
        """After its withdrawal a report does not count: the duty is pending again before due and overdue after."""
        facts = a_report("s-1", "2024-12-01 08:00"), a_fact(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00")
        assert status_history(a_duty(), *facts) == [
            ("2024-01-01 00:00", "pending"),
            ("2024-12-01 08:00", "on_time"),
            ("2024-12-05 08:00", "pending"),
            ("2024-12-10 00:00", "overdue"),
        ]
        assert summarise(segment_at(LATER, a_duty(), *facts)) == ("overdue", None, 0, ("withdrawn",))

    def test_withdrawing_a_correction_brings_back_what_it_corrected(self) -> None:
        """After a correction is withdrawn, the version before it counts again."""
        facts = (
            a_report("s-1", "2024-12-01 08:00"),
            a_report("s-2", "2024-12-02 08:00", corrects="s-1", content=EMPTY),
            a_fact(a_withdrawal("w-1", "s-2"), "2024-12-03 08:00"),
        )
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-01 08:00", 1, ("withdrawn",))

    def test_a_withdrawal_that_came_first_waits_for_its_report(self) -> None:
        """A withdrawal received before its report is held, and the report never counts."""
        duty = a_duty()
        facts = a_fact(a_withdrawal("w-1", "s-1"), "2024-12-01 08:00"), a_report("s-1", "2024-12-05 08:00")
        assert status_history(duty, *facts) == [("2024-01-01 00:00", "pending"), ("2024-12-10 00:00", "overdue")]
        assert segment_at("2024-12-02 00:00", duty, *facts).flags == ()
        assert segment_at("2024-12-06 00:00", duty, *facts).flags == ("withdrawn",)

    def test_the_first_withdrawal_counts(self) -> None:
        """Of two withdrawals of one report the first received counts."""
        facts = (
            a_report("s-1", "2024-12-01 08:00"),
            a_fact(a_withdrawal("w-2", "s-1"), "2024-12-06 08:00"),
            a_fact(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00"),
        )
        assert status_history(a_duty(), *facts)[2] == ("2024-12-05 08:00", "pending")
        assert segment_at(LATER, a_duty(), *facts).evidence == ("s-1", "w-1")

    def test_a_withdrawal_names_the_report_of_its_own_source_first(self) -> None:
        """A withdrawal names the report of its own source first, because ids are unique only within one."""
        other = a_fact(a_submission("s-1", source="khac"), "2024-11-30 08:00")
        own = a_report("s-1", "2024-12-01 08:00")
        found = final_segment(other, own, a_fact(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00"))
        assert summarise(found) == ("on_time", "2024-11-30 08:00", 1, ("withdrawn",))

    def test_a_withdrawal_of_nothing_known_changes_nothing(self) -> None:
        """A withdrawal that names no known report changes nothing."""
        facts = a_report("s-1", "2024-12-01 08:00"), a_fact(a_withdrawal("w-1", "s-9"), "2024-12-05 08:00")
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-01 08:00", 1, ())
