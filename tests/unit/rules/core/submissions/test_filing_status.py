"""What several reports of one duty amount to: copies, nil returns and reassigned ones (rulings 6 and 11)."""

from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, a_fact, instant, rfc3339, segment_at, status_history
from tests.support.builders.filings import EMPTY, LATER, NIL, a_report, final_segment, summarise
from tests.support.builders.plans import a_reassignment, a_submission, a_version, a_withdrawal


class TestOneDocument:
    """Ruling 6: one duty has one discharge, and the same document by two channels is one submission."""

    def test_the_same_number_by_two_channels_is_one_submission(self) -> None:
        """Two reports with the same number, however spaced, are one submission with the earliest effective instant."""
        facts = (
            a_report("s-1", "2024-12-08 08:00", number="215/BC-UBND"),
            a_report("s-2", "2024-12-12 08:00", number="215 /bc-ubnd"),
        )
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-08 08:00", 1, ("duplicate",))

    def test_the_same_files_are_the_same_document(self) -> None:
        """Two reports with the same files are one submission, even under different numbers."""
        facts = a_report("s-1", "2024-12-08 08:00", files="ab"), a_report("s-2", "2024-12-07 08:00", files="ba")
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-07 08:00", 1, ("duplicate",))

    def test_a_number_starts_anew_each_january(self) -> None:
        """The same number with another year of issue is another document."""
        old = {"number": "215/BC-UBND", "issued_on": "2023-12-01", "signed_by": "A", "title": "BC"}
        facts = (
            a_report("s-1", "2024-12-08 08:00", document=old),
            a_report("s-2", "2024-12-08 09:00", number="215/BC-UBND"),
        )
        assert final_segment(*facts).flags == ("needs_reconciliation",)

    def test_two_different_documents_both_stay(self) -> None:
        """Two different documents need reconciliation, and the earlier complete one discharges the duty."""
        facts = a_report("s-1", "2024-12-08 08:00"), a_report("s-2", "2024-12-12 08:00")
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-08 08:00", 2, ("needs_reconciliation",))

    def test_a_complete_document_discharges_beside_an_incomplete_one(self) -> None:
        """Beside an incomplete document a complete one discharges the duty, from its own effective instant."""
        facts = a_report("s-1", "2024-12-01 08:00", content=EMPTY), a_report("s-2", "2024-12-12 08:00")
        assert summarise(final_segment(*facts)) == (
            "late",
            "2024-12-12 08:00",
            2,
            ("first_sent_on_time", "needs_reconciliation"),
        )

    def test_of_two_incomplete_documents_the_later_says_what_is_missing(self) -> None:
        """Of two incomplete documents the later one tells what is missing."""
        version = a_version(requires={"sections": ["a", "b"]})
        facts = (
            a_report("s-1", "2024-12-01 08:00", content=EMPTY),
            a_report("s-2", "2024-12-02 08:00", content=EMPTY | {"sections": {"a": "x"}}),
        )
        assert final_segment(*facts, version=version).missing == ("sections.b",)

    def test_a_complete_copy_completes_an_incomplete_one(self) -> None:
        """A complete copy completes a submission whose first copy was incomplete."""
        facts = (
            a_report("s-1", "2024-12-08 08:00", number="215/BC-UBND", content=EMPTY),
            a_report("s-2", "2024-12-09 08:00", number="215/BC-UBND"),
        )
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-09 08:00", 1, ("duplicate",))

    def test_a_correction_of_one_copy_replaces_both(self) -> None:
        """A correction of one copy replaces both copies, because they are one submission."""
        facts = (
            a_report("s-1", "2024-12-07 08:00", number="215/BC-UBND"),
            a_report("s-2", "2024-12-08 08:00", number="215/BC-UBND"),
            a_report("s-3", "2024-12-09 08:00", number="215/BC-UBND", corrects="s-1", content=EMPTY),
        )
        assert final_segment(*facts).status.value == "incomplete"

    def test_a_withdrawn_copy_leaves_the_other(self) -> None:
        """After one copy is withdrawn, the submission counts by the other, from its own effective instant."""
        facts = (
            a_report("s-1", "2024-12-08 08:00", number="215/BC-UBND"),
            a_report("s-2", "2024-12-12 08:00", number="215/BC-UBND"),
            a_fact(a_withdrawal("w-1", "s-1"), "2024-12-13 08:00"),
        )
        assert summarise(final_segment(*facts)) == ("late", "2024-12-12 08:00", 1, ("withdrawn",))

    def test_the_last_of_three_copies_is_no_duplicate(self) -> None:
        """After two of three copies are withdrawn, the third has no duplicate, in whatever order they took effect."""
        dispatch = {"sent_at": rfc3339("2024-12-02 08:00"), "proof": "postmark", "reference": "RR1"}
        facts = (
            a_report("s-1", "2024-12-01 08:00", number="215/BC-UBND"),
            a_report("s-2", "2024-12-05 08:00", number="215/BC-UBND"),
            a_report("s-3", "2024-12-06 08:00", number="215/BC-UBND", dispatch=dispatch),
            a_fact(a_withdrawal("w-1", "s-1"), "2024-12-07 08:00"),
            a_fact(a_withdrawal("w-3", "s-3"), "2024-12-08 08:00"),
        )
        assert segment_at("2024-12-07 09:00", a_duty(), *facts).flags == ("duplicate", "withdrawn")
        assert summarise(final_segment(*facts)) == ("on_time", "2024-12-05 08:00", 1, ("withdrawn",))

    def test_reports_without_number_or_file_are_different_documents(self) -> None:
        """Reports with neither number nor files are different documents."""
        blank = {"number": None, "issued_on": None, "signed_by": None, "title": ""}
        facts = a_report("s-1", "2024-12-07 08:00", document=blank), a_report("s-2", "2024-12-08 08:00", document=blank)
        assert final_segment(*facts).flags == ("needs_reconciliation",)


class TestNilReturn:
    """Ruling 11: a nil return («nothing to report») is a submission, counted apart."""

    def test_a_nil_return_discharges_and_is_flagged(self) -> None:
        """A nil return discharges the duty, with the flag `nil_return`."""
        found = final_segment(a_report("s-1", "2024-12-01 08:00", content=NIL))
        assert summarise(found) == ("on_time", "2024-12-01 08:00", 1, ("nil_return",))

    def test_a_nil_return_still_wants_a_signature(self) -> None:
        """A nil return without signature is incomplete if the plan requires one."""
        unsigned = {"number": "1/BC", "issued_on": "2024-12-01", "signed_by": "", "title": "BC"}
        version = a_version(requires={"signed": True, "sections": ["results"], "attachments": {"min": 1}})
        found = final_segment(a_report("s-1", "2024-12-01 08:00", content=NIL, document=unsigned), version=version)
        assert found.missing == ("signed",)


class TestReassignment:
    """A report filed under one period is moved to the one it is about."""

    def test_it_counts_where_it_belongs_from_its_own_instant(self) -> None:
        """A reassigned report counts in its new period from its own effective instant, and not in the old one."""
        fact = a_report("s-1", "2024-12-01 08:00")
        move = a_fact(a_reassignment("m-1", "s-1", to="2023"), "2024-12-20 08:00")
        assert status_history(a_duty(period="2023"), fact, move)[-1] == ("2024-12-01 08:00", "late")
        assert status_history(a_duty(), fact, move)[-1] == ("2024-12-10 00:00", "overdue")
        assert segment_at(LATER, a_duty(period="2023"), fact, move).evidence == ("s-1", "m-1")

    def test_a_second_move_goes_on_from_the_first(self) -> None:
        """Reassignments act in order of receipt, and one from a period where the report is not moves nothing."""
        facts = (
            a_report("s-1", "2024-12-01 08:00"),
            a_fact(a_reassignment("m-2", "s-1", from_="2023", to="2022"), "2024-12-21 08:00"),
            a_fact(a_reassignment("m-1", "s-1", to="2023"), "2024-12-20 08:00"),
            a_fact(a_reassignment("m-3", "s-1", from_="2020", to="2021"), "2024-12-22 08:00"),
            a_fact(a_reassignment("m-4", "s-9", to="2021"), "2024-12-23 08:00"),
        )
        found = segment_at(LATER, a_duty(period="2022"), *facts)
        assert (found.submissions, found.evidence) == (1, ("s-1", "m-1", "m-2"))


def test_the_evidence_grows_as_events_take_effect() -> None:
    """The evidence at an instant names only the events in effect by then."""
    facts = a_report("s-1", "2024-12-01 08:00"), a_fact(a_withdrawal("w-1", "s-1"), "2024-12-05 08:00")
    seen = [segment_at(when, a_duty(), *facts).evidence for when in ("2024-11-01 00:00", "2024-12-02 00:00", LATER)]
    assert seen == [(), ("s-1",), ("s-1", "w-1")]


def test_of_one_identity_with_two_contents_the_first_recorded_counts() -> None:
    """Of one identity with two contents the first recorded counts, in whatever order they are read."""
    first: list[Fact] = [
        a_fact(a_submission("s-1"), "2024-12-15 08:00", recorded="2024-12-16 08:00"),
        a_fact(a_submission("s-1"), "2024-12-01 08:00", recorded="2024-12-20 08:00"),
    ]
    assert {final_segment(*facts).effective_at for facts in (first, first[::-1])} == {instant("2024-12-15 08:00")}
