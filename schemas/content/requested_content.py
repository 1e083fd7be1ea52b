"""What one agency is asked to report: the sections and figures that are required, then those that are accepted.

A required figure is asked of every addressee, because no report is complete without it. An accepted one is asked of the
agencies and groups in its `asked_of`, of all addressees where that is empty (contract section 7).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from schemas.plan.indicators import Indicator
from schemas.plan.plan import ObligationVersion, Plan, SectionRequirement


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedSection:
    """A section of a report. Without one that `is_required` the report is incomplete."""

    section: SectionRequirement
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedFigure:
    """A figure of a report. Without one that `is_required` the report is incomplete."""

    indicator: Indicator
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedContent:
    """The sections and figures that an agency is asked for, the required ones first.

    `ratios` are worked out from these figures; nobody is asked for them.
    """

    sections: tuple[RequestedSection, ...]
    figures: tuple[RequestedFigure, ...]
    ratios: tuple[Indicator, ...]

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """Return the indicators of the figures, and the ratios of these."""
        return (*(one.indicator for one in self.figures), *self.ratios)


def list_requested(plan: Plan, version: ObligationVersion, names: AbstractSet[str] | None) -> RequestedContent:
    """Return what *version* asks of the agency that has *names*: its id and the ids of its groups.

    Without *names* it is everything that anybody is asked for.
    """
    required = {one.id for one in version.requires.sections}
    accepted = [one for one in version.accepts.sections if one.id not in required]
    figures = [*_list_required(plan, version), *_list_accepted(plan, version, names)]
    asked = {one.indicator.code for one in figures}
    return RequestedContent(
        sections=(
            *(RequestedSection(section=one, is_required=True) for one in version.requires.sections),
            *(RequestedSection(section=one, is_required=False) for one in accepted),
        ),
        figures=tuple(figures),
        ratios=tuple(
            one for one in plan.indicators if (formula := one.parse_formula()) is not None and asked >= {*formula.codes}
        ),
    )


def _list_required(plan: Plan, version: ObligationVersion) -> list[RequestedFigure]:
    codes = [one.code for one in version.requires.indicators]
    found = [plan.find_indicator(version, code) for code in codes]
    return [RequestedFigure(indicator=one, is_required=True) for one in found if one is not None]


def _list_accepted(plan: Plan, version: ObligationVersion, names: AbstractSet[str] | None) -> list[RequestedFigure]:
    codes = set(version.accepts.indicators) - {one.code for one in version.requires.indicators}
    return [
        RequestedFigure(indicator=one, is_required=False)
        for one in plan.indicators
        if one.code in codes and (names is None or one.is_asked_of(names))
    ]
