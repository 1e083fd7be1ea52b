"""How a plan grades the agencies: the first rule whose condition holds (contract section 7)."""

from schemas.plan.document_model import DocumentModel
from schemas.plan.values import Bilingual, NonBlank

# The variables that the condition of a grade may use.
GRADING_VARIABLES = ("status", "days_late", "flags", "missing", "submissions", "urgings", "returned", "late_before")


class GradeRule(DocumentModel):
    """A grade and its condition in the Common Expression Language, over `GRADING_VARIABLES`.

    Example: `status == 'on_time' && returned == 0`. `days_late` counts begun days behind the due instant; `late_before`
    the reports of the last three periods that were late or are missing.
    """

    grade: NonBlank
    title: Bilingual
    when: NonBlank
