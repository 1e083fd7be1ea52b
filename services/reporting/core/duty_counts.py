"""Count duties in DHIS2's terms: expected and actual reports, reporting rate, reporting rate on time.

Expected are the duties that bind. Exempt, superseded, ended and inapplicable duties are listed separately and are never
part of the denominator. Undated duties are counted separately too, because they can be fulfilled but never late.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal

from schemas.events.assessments import Status
from services.reporting.core.duty_lines import DutyLine

# The statuses that make up the denominator, in the order in which charts and pages show them.
EXPECTED_STATUSES = (Status.ON_TIME, Status.LATE, Status.INCOMPLETE, Status.OVERDUE, Status.PENDING)

# The statuses that leave the denominator and are listed by name.
EXCLUDED_STATUSES = (Status.EXEMPT, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR)
NIL_RETURN = "nil_return"
UNDER_EXTENSION = "under_extension"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyCounts:
    """How many duties have each status. `expected` is the denominator of both rates."""

    on_time: int = 0
    late: int = 0
    incomplete: int = 0
    overdue: int = 0
    pending: int = 0
    exempt: int = 0
    superseded: int = 0
    ended_no_successor: int = 0
    not_applicable: int = 0
    open: int = 0
    fulfilled: int = 0
    nil_returns: int = 0
    under_extension: int = 0

    @property
    def expected(self) -> int:
        """The number of reports owed."""
        return self.on_time + self.late + self.incomplete + self.overdue + self.pending

    @property
    def actual(self) -> int:
        """The number of complete reports received, on time or late, nil returns included."""
        return self.on_time + self.late

    @property
    def outstanding(self) -> int:
        """The number of reports owed and not received complete, due or not."""
        return self.expected - self.actual

    @property
    def reporting_rate(self) -> Decimal | None:
        """Actual divided by expected; None where no report was expected."""
        return _ratio(self.actual, self.expected)

    @property
    def reporting_rate_on_time(self) -> Decimal | None:
        """Reports on time divided by expected; None where no report was expected."""
        return _ratio(self.on_time, self.expected)


def count_duties(lines: Iterable[DutyLine]) -> DutyCounts:
    """Count *lines* by status; every line counts once."""
    counter: Counter[str] = Counter()
    for line in lines:
        counter[line.status.value] += 1
        counter["nil_returns"] += line.is_complete and NIL_RETURN in line.flags
        counter["under_extension"] += UNDER_EXTENSION in line.flags
    return DutyCounts(**counter)


def add_counts(several: Iterable[DutyCounts]) -> DutyCounts:
    """Return the counts of lines that were counted in parts."""
    counter: Counter[str] = Counter()
    for one in several:
        counter.update(asdict(one))
    return DutyCounts(**counter)


def _ratio(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole else None
