"""What differs between two versions of a report, and what is the same although it is written otherwise."""

from datetime import date

from services.reporting.core.evidence import revision_differences
from services.reporting.core.evidence.duty_facts import NamedFile, ReportDetails
from services.reporting.core.evidence.revision_differences import ReportPart

FILE = NamedFile(name="a.pdf", media_type="application/pdf", size=1, sha256="aa")
OTHER = NamedFile(name="b.pdf", media_type="application/pdf", size=1, sha256="bb")


def test_every_part_that_differs_is_named_once() -> None:
    """Document, figures, texts and files, in the order in which a report is read."""
    before = ReportDetails(
        number="633/BC", figures={"loans": "13867", "debt": "2"}, sections={"results": "x"}, attachments=(FILE,)
    )
    after = ReportDetails(
        number="910/BC",
        cut_off=date(2024, 11, 30),
        is_nil_return=True,
        figures={"loans": "1485", "new": "1"},
        sections={"results": "y"},
        attachments=(OTHER,),
    )
    found = [(one.part, one.id, one.before, one.after) for one in revision_differences.compare_reports(before, after)]
    assert found == [
        (ReportPart.NUMBER, None, "633/BC", "910/BC"),
        (ReportPart.NIL_RETURN, None, "false", "true"),
        (ReportPart.CUT_OFF, None, None, "2024-11-30"),
        (ReportPart.INDICATOR, "loans", "13867", "1485"),
        (ReportPart.INDICATOR, "debt", "2", None),
        (ReportPart.INDICATOR, "new", None, "1"),
        (ReportPart.SECTION, "results", "x", "y"),
        (ReportPart.ATTACHMENT, "aa", "a.pdf", None),
        (ReportPart.ATTACHMENT, "bb", None, "b.pdf"),
    ]


def test_the_same_number_and_the_same_file_are_no_difference() -> None:
    """`0.10` is `0.1`, and a file is its bytes, whatever its name."""
    before = ReportDetails(figures={"ratio": "0.10"}, sections={"results": "x"}, attachments=(FILE,))
    renamed = NamedFile(name="c.pdf", media_type="application/pdf", size=1, sha256="aa")
    after = ReportDetails(figures={"ratio": "0.1"}, sections={"results": "x"}, attachments=(renamed,))
    assert revision_differences.compare_reports(before, after) == ()
    assert revision_differences.count_equal_parts(before, after) == 3


def test_what_is_no_number_is_compared_as_text() -> None:
    """The decoder lets through what a sender wrote."""
    before, after = ReportDetails(figures={"x": "a"}), ReportDetails(figures={"x": "b"})
    (one,) = revision_differences.compare_reports(before, after)
    assert (one.before, one.after) == ("a", "b")
