"""Which duties the grades of a report are about."""

from services.reporting.core.annual_report import AnnualReport, Chapter


def choose_graded_chapter(report: AnnualReport) -> Chapter | None:
    """Return the period of an obligation by which the agencies are graded; None where nothing is due.

    It is the plan's first dated obligation, in the last period of which anything is due or on file.
    """
    first = next((chapter.obligation.id for chapter in report.chapters), None)
    begun = [
        chapter
        for chapter in report.chapters
        if chapter.obligation.id == first and chapter.total.pending < chapter.total.expected
    ]
    return begun[-1] if begun else None
