"""When a report counts, and which reports are one (rulings 2, 4, 5, 6 and 11)."""

import pytest

from services.rules.core.assess import Segment
from services.rules.core.facts import Fact
from tests.support.builders import Json, a_reassignment, a_submission, a_version, a_withdrawal
from tests.support.spec import a_duty, at, history, instant, received, rfc3339, undated, wall

EMPTY: Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
NIL: Json = EMPTY | {"nil_return": True}
LATER = "2025-06-01 00:00"


def report(
    event: str, on: str, *, content: Json | None = None, number: str | None = None, files: str = "", **data: object
) -> Fact:
    """A report received at a wall time; each has its own number unless one is given."""
    told: Json = dict(data)
    if content is not None:
        told["content"] = content
    if number is not None:
        told["document"] = {"number": number, "issued_on": "2024-12-01", "signed_by": "A", "title": "BC"}
    told["attachments"] = [
        {"name": one, "media_type": "application/pdf", "size": 1, "sha256": one * 64, "url": None} for one in files
    ]
    return received(a_submission(event, data=told), on)


def in_the_end(*facts: Fact, version: Json | None = None) -> Segment:
    """The last answer about the usual duty."""
    return at(LATER, a_duty(*([version] if version else [])), *facts)


def outcome(found: Segment) -> tuple[str, str | None, int, tuple[str, ...]]:
    """Status, effective instant, number of submissions and flags."""
    return found.status.value, wall(found.effective_at), found.submissions, found.flags


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


class TestOneDocument:
    """Ruling 6: one duty, one discharge."""

    def test_the_same_number_by_two_channels_is_one_submission(self) -> None:
        """With the earliest effective instant, however the number is spaced."""
        facts = (
            report("s-1", "2024-12-08 08:00", number="215/BC-UBND"),
            report("s-2", "2024-12-12 08:00", number="215 /bc-ubnd"),
        )
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-08 08:00", 1, ("duplicate",))

    def test_the_same_files_are_the_same_document(self) -> None:
        """Under another number, or none that fits."""
        facts = report("s-1", "2024-12-08 08:00", files="ab"), report("s-2", "2024-12-07 08:00", files="ba")
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-07 08:00", 1, ("duplicate",))

    def test_a_number_starts_anew_each_january(self) -> None:
        """The same number of another year is another document."""
        old = {"number": "215/BC-UBND", "issued_on": "2023-12-01", "signed_by": "A", "title": "BC"}
        facts = report("s-1", "2024-12-08 08:00", document=old), report("s-2", "2024-12-08 09:00", number="215/BC-UBND")
        assert in_the_end(*facts).flags == ("needs_reconciliation",)

    def test_two_different_documents_both_stay(self) -> None:
        """Somebody has to look at them; the earliest complete one discharges."""
        facts = report("s-1", "2024-12-08 08:00"), report("s-2", "2024-12-12 08:00")
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-08 08:00", 2, ("needs_reconciliation",))

    def test_a_complete_document_discharges_beside_an_incomplete_one(self) -> None:
        """The time is that of the complete one."""
        facts = report("s-1", "2024-12-01 08:00", content=EMPTY), report("s-2", "2024-12-12 08:00")
        assert outcome(in_the_end(*facts)) == (
            "late",
            "2024-12-12 08:00",
            2,
            ("first_sent_on_time", "needs_reconciliation"),
        )

    def test_of_two_incomplete_documents_the_later_says_what_is_missing(self) -> None:
        """The clerk goes on from the last one."""
        version = a_version(requires={"sections": ["a", "b"]})
        facts = (
            report("s-1", "2024-12-01 08:00", content=EMPTY),
            report("s-2", "2024-12-02 08:00", content=EMPTY | {"sections": {"a": "x"}}),
        )
        assert in_the_end(*facts, version=version).missing == ("sections.b",)

    def test_a_complete_copy_completes_an_incomplete_one(self) -> None:
        """The e-mail lost the annex, the exchange did not."""
        facts = (
            report("s-1", "2024-12-08 08:00", number="215/BC-UBND", content=EMPTY),
            report("s-2", "2024-12-09 08:00", number="215/BC-UBND"),
        )
        assert outcome(in_the_end(*facts)) == ("on_time", "2024-12-09 08:00", 1, ("duplicate",))

    def test_a_correction_of_one_copy_replaces_both(self) -> None:
        """They are one submission."""
        facts = (
            report("s-1", "2024-12-07 08:00", number="215/BC-UBND"),
            report("s-2", "2024-12-08 08:00", number="215/BC-UBND"),
            report("s-3", "2024-12-09 08:00", number="215/BC-UBND", corrects="s-1", content=EMPTY),
        )
        assert in_the_end(*facts).status.value == "incomplete"

    def test_a_withdrawn_copy_leaves_the_other(self) -> None:
        """The submission stands by the copy that is left, from its own instant."""
        facts = (
            report("s-1", "2024-12-08 08:00", number="215/BC-UBND"),
            report("s-2", "2024-12-12 08:00", number="215/BC-UBND"),
            received(a_withdrawal("w-1", "s-1"), "2024-12-13 08:00"),
        )
        assert outcome(in_the_end(*facts)) == ("late", "2024-12-12 08:00", 1, ("withdrawn",))

    def test_reports_without_number_or_file_are_different_documents(self) -> None:
        """Nothing tells that they are one."""
        blank = {"number": None, "issued_on": None, "signed_by": None, "title": ""}
        facts = report("s-1", "2024-12-07 08:00", document=blank), report("s-2", "2024-12-08 08:00", document=blank)
        assert in_the_end(*facts).flags == ("needs_reconciliation",)


class TestNilReturn:
    """Ruling 11: «nothing to report» is a submission, counted apart."""

    def test_a_nil_return_discharges_and_is_flagged(self) -> None:
        """It has nothing to fill in."""
        found = in_the_end(report("s-1", "2024-12-01 08:00", content=NIL))
        assert outcome(found) == ("on_time", "2024-12-01 08:00", 1, ("nil_return",))

    def test_a_nil_return_still_wants_a_signature(self) -> None:
        """Somebody answers for it."""
        unsigned = {"number": "1/BC", "issued_on": "2024-12-01", "signed_by": "", "title": "BC"}
        version = a_version(requires={"signed": True, "sections": ["results"], "attachments": {"min": 1}})
        found = in_the_end(report("s-1", "2024-12-01 08:00", content=NIL, document=unsigned), version=version)
        assert found.missing == ("signed",)


class TestReassignment:
    """A report filed under one period is moved to the one it is about."""

    def test_it_counts_where_it_belongs_from_its_own_instant(self) -> None:
        """There it was on time; where it was filed nothing stands."""
        fact = report("s-1", "2024-12-01 08:00")
        move = received(a_reassignment("m-1", "s-1", to="2023"), "2024-12-20 08:00")
        assert history(a_duty(period="2023"), fact, move)[-1] == ("2024-12-01 08:00", "late")
        assert history(a_duty(), fact, move)[-1] == ("2024-12-10 00:00", "overdue")
        assert at(LATER, a_duty(period="2023"), fact, move).evidence == ("s-1", "m-1")

    def test_a_second_move_goes_on_from_the_first(self) -> None:
        """In order of receipt; one that starts elsewhere moves nothing."""
        facts = (
            report("s-1", "2024-12-01 08:00"),
            received(a_reassignment("m-2", "s-1", from_="2023", to="2022"), "2024-12-21 08:00"),
            received(a_reassignment("m-1", "s-1", to="2023"), "2024-12-20 08:00"),
            received(a_reassignment("m-3", "s-1", from_="2020", to="2021"), "2024-12-22 08:00"),
            received(a_reassignment("m-4", "s-9", to="2021"), "2024-12-23 08:00"),
        )
        found = at(LATER, a_duty(period="2022"), *facts)
        assert (found.submissions, found.evidence) == (1, ("s-1", "m-1", "m-2"))


def test_the_evidence_grows_as_events_take_effect() -> None:
    """What was not yet in effect proves nothing yet."""
    facts = report("s-1", "2024-12-01 08:00"), received(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00")
    seen = [at(when, a_duty(), *facts).evidence for when in ("2024-11-01 00:00", "2024-12-02 00:00", LATER)]
    assert seen == [(), ("s-1",), ("s-1", "w-1")]


def test_of_one_identity_with_two_contents_the_first_recorded_counts() -> None:
    """Whatever order they are read in."""
    first: list[Fact] = [
        received(a_submission("s-1"), "2024-12-15 08:00", recorded="2024-12-16 08:00"),
        received(a_submission("s-1"), "2024-12-01 08:00", recorded="2024-12-20 08:00"),
    ]
    assert {in_the_end(*facts).effective_at for facts in (first, first[::-1])} == {instant("2024-12-15 08:00")}
