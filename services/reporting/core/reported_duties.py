"""A duty as consolidation sees it: whose it is, how it stands, and what was sent for it (contract section 8.2)."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.events.assessments import Status
from services.reporting.core.duty_counts import EXCLUDED_STATUSES

# Duties with one of these statuses are not expected to be fulfilled by their agency (contract section 8.1).
_NOT_EXPECTED = frozenset({Status.NOT_APPLICABLE, *EXCLUDED_STATUSES})


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingSubmission:
    """The content of the submission that counts for a duty, and the event that it came with.

    `parts` are the agencies whose reports it says that it consolidates.
    """

    source: str
    id: str
    is_nil_return: bool = False
    cut_off: date | None = None
    figures: Mapping[str, Decimal] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDuty:
    """A duty as it stands at the instant asked about.

    `groups` are all groups of which the agency is a member as for the duty. `flags` are those of the duty, and
    `returned` where its report was. An untracked duty does not apply, and what was reported serves comparisons.
    """

    agency: str
    status: Status
    flags: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()
    submission: StandingSubmission | None = None
    is_untracked: bool = False

    @property
    def is_expected(self) -> bool:
        """Whether the agency is expected to report; in a year that nobody watched, who did report counts."""
        if self.is_untracked:
            return self.submission is not None
        return self.status not in _NOT_EXPECTED

    @property
    def is_shown(self) -> bool:
        """Whether what the agency sent stands among the figures and texts; an exempt agency reports voluntarily."""
        return self.is_expected or self.status is Status.EXEMPT

    def figure(self, code: str) -> Decimal | None:
        """Return the figure that the agency gives for *code*; a nil return gives none."""
        if self.submission is None or self.submission.is_nil_return:
            return None
        return self.submission.figures.get(code)

    @property
    def cut_off(self) -> date | None:
        """The day as of which the agency gave its figures, if it says one."""
        return None if self.submission is None else self.submission.cut_off


def is_same_day_of_year(one: date | None, other: date | None) -> bool:
    """Whether both are the same day of the same month, or both the last of that month (28 and 29 February)."""
    if one is None or other is None or one.month != other.month:
        return False
    return one.day == other.day or (_is_last_of_month(one) and _is_last_of_month(other))


def _is_last_of_month(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]
