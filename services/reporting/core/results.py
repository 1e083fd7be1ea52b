"""What is asked of one obligation for one period, and its results: figures and texts (contract section 8).

The question holds the duties as they stand at an instant, with the content of the submission that counts for each. Who
finds these duties (reporting in its database, `dondoc results` in a file of facts) does not matter to the figures.
`consolidation/tallies.py` works the results out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import msgspec

from schemas.events.assessments import Status
from schemas.plan.indicators import Indicator
from services.reporting.core import reported_duties
from services.reporting.core.reported_duties import ReportedDuty

RETURNED = "returned"
UNASKED = "unasked"
PARTS_DIFFER = "parts_differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same duties a year earlier, and what became of their agencies since.

    `heirs` names for each agency of either year that was merged the one that its figures count under; `has_split` says
    whether an agency that owed a report then was split.
    """

    period: str
    duties: Sequence[ReportedDuty]
    heirs: Mapping[str, str] = field(default_factory=dict)
    has_split: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsQuestion:
    """What is asked of one obligation: its indicators, its groups in the plan's order, its sections, its duties.

    Where it compiles the reports of another, `parts` holds for each agency the duties of the agencies below it.
    """

    obligation: str
    period: str
    indicators: Sequence[Indicator]
    groups: Sequence[str]
    sections: Sequence[str]
    duties: Sequence[ReportedDuty]
    previous: Comparison | None = None
    parts: Mapping[str, Sequence[ReportedDuty]] = field(default_factory=dict)


class AgencyFigure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One figure of one agency, with the event behind it. `value` is None for a ratio that divides by zero."""

    agency: str
    value: Decimal | None
    status: Status
    cut_off: date | None
    source: str
    id: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalBasis:
    """What a total rests on: the duties that it was worked out from, and the figures that it names.

    Only a report asks for more than the total, so what follows from them is worked out when it is asked for.
    """

    parts: Sequence[Indicator] = ()
    duties: Sequence[ReportedDuty] = ()

    @property
    def cut_offs(self) -> frozenset[date | None]:
        """The days as of which those gave the figure whose own value is behind the total."""
        return frozenset(duty.cut_off for duty in self.duties if duty.is_expected and all(self._find_given(duty)))

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids of the events behind the total; a ratio rests on whoever gave a figure that it names."""
        return tuple(
            duty.submission.id
            for duty in self.duties
            if duty.submission is not None and duty.is_expected and any(self._find_given(duty))
        )

    def _find_given(self, duty: ReportedDuty) -> Iterable[bool]:
        return (reported_duties.is_asked_of(part, duty) and duty.figure(part.code) is not None for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTotal:
    """The total over the members of one group."""

    group: str
    total: Decimal | None
    agencies: int
    basis: TotalBasis = TotalBasis()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTotals:
    """The totals over the agencies that gave the figure in both years, as of the same day of the year.

    `previous_by_agency` has what each of them gave the year before, a merged one under its heir. It leaves out an heir
    beside which a merged one still stands this year: its own figure and that of the year before speak of other areas.
    `earlier` are the duties of the year before that each of the agencies is compared with.
    """

    agencies: int
    total: Decimal | None
    previous: Decimal | None
    previous_by_agency: Mapping[str, Decimal | None] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[ReportedDuty]] = field(default_factory=dict)
    basis: TotalBasis = TotalBasis()
    previous_basis: TotalBasis = TotalBasis()

    def basis_of(self, agency: str) -> TotalBasis:
        """Return what the figure of the year before rests on with which *agency* is compared."""
        return TotalBasis(parts=self.previous_basis.parts, duties=self.earlier.get(agency, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousTotal:
    """The total of the year before, and whether it compares with this year's."""

    period: str
    total: Decimal | None
    agencies: int
    is_comparable: bool
    same: ComparedTotals
    basis: TotalBasis = TotalBasis()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorResult:
    """The consolidated figures of one indicator. The cut-off None stands for figures without one."""

    indicator: Indicator
    total: Decimal | None
    asked: int
    agencies: int
    late: int
    incomplete: int
    not_given: tuple[str, ...]
    cut_offs: Mapping[date | None, int]
    target: Decimal | None
    previous: PreviousTotal | None
    groups: tuple[GroupTotal, ...]
    figures: tuple[AgencyFigure, ...]
    basis: TotalBasis = TotalBasis()


class AgencyText(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one agency writes under one heading, with the event behind it."""

    agency: str
    text: str
    source: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationResults:
    """The results of one obligation for one period, and the groups that each agency was in as for its duty."""

    obligation: str
    expected: int
    standing: int
    indicators: tuple[IndicatorResult, ...]
    sections: Mapping[str, tuple[AgencyText, ...]]
    groups_by_agency: Mapping[str, frozenset[str]] = field(default_factory=dict)
