"""Which reports are one, which say nothing, and which stand under another period (rulings 6 and 11)."""

from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, at, history, instant, received
from tests.support.builders.filings import EMPTY, LATER, NIL, in_the_end, outcome, report
from tests.support.builders.plans import a_reassignment, a_submission, a_version, a_withdrawal


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
