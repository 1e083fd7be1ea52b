"""What is missing from a submission, named by its place under `requires` in the plan.

The names are `sections.ID`, `indicators.CODE`, `attachments`, `signed`, `checks.ID` and `parts.ID`.
"""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from schemas.plan.indicators import Indicator, IndicatorRequirement
from schemas.plan.plan import Acceptance, AttachmentRequirement, Check, Requirements
from services.rules.core import conditions
from services.rules.core.conditions import ConditionContext
from services.rules.core.facts import ReportContent


class FigureLimits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The range of a figure, both ends included, whether it must be whole, and whether it must be given at all."""

    code: str
    least: Decimal | None
    most: Decimal | None
    is_whole: bool
    is_required: bool

    def allow(self, figure: Decimal | None) -> bool:
        """Whether a submission with *figure* (None: without it) keeps to the limits."""
        if figure is None:
            return not self.is_required
        return (
            (self.least is None or figure >= self.least)
            and (self.most is None or figure <= self.most)
            and (not self.is_whole or figure == figure.to_integral_value())
        )


class RequiredPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An agency whose report must be among the compiled ones, and the names by which a submission may call it."""

    agency: str
    names: frozenset[str]


class DutyRequirements(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a submission of a duty must contain, and the limits of its figures: the required ones, then the accepted.

    `sections` are the ids of those that must have text, `parts` the reports that it must name as compiled.
    """

    sections: tuple[str, ...] = ()
    figures: tuple[FigureLimits, ...] = ()
    attachments: AttachmentRequirement | None = None
    is_signed: bool = False
    checks: tuple[Check, ...] = ()
    checks_cost: int = 0  # units that the conditions cost at most for one submission
    parts: tuple[RequiredPart, ...] = ()


NOTHING_REQUIRED = DutyRequirements()


def combine_requirements(
    requires: Requirements, accepts: Acceptance, declared: Iterable[Indicator]
) -> DutyRequirements:
    """Return the requirements with the limits of the indicators that a plan has *declared* (contract section 7).

    A definition in place has limits of its own, which go before those of the declared indicator of that code.
    """
    by_code = {one.code: one for one in declared}
    required = [_limit(one, by_code.get(one.code)) for one in requires.indicators]
    codes = {one.code for one in required}
    accepted = [_limit_accepted(by_code[code]) for code in accepts.indicators if code in by_code and code not in codes]
    return DutyRequirements(
        sections=tuple(one.id for one in requires.sections),
        figures=(*required, *accepted),
        attachments=requires.attachments if requires.attachments.min else None,
        is_signed=requires.signed,
        checks=requires.checks,
        checks_cost=sum(conditions.cost_of(check.cel) for check in requires.checks),
    )


def find_missing(requirements: DutyRequirements, report: ReportContent) -> tuple[str, ...]:
    """Return the unmet requirements in the plan's order; an empty tuple means complete (ruling 4).

    A nil return has nothing to fill in, so only the signature can be missing from it (ruling 11).
    """
    unsigned = ("signed",) if requirements.is_signed and not report.signed_by.strip() else ()
    if report.is_nil_return:
        return unsigned
    missing = [f"sections.{one}" for one in requirements.sections if not report.sections.get(one, "").strip()]
    if requirements.figures:
        given = report.indicators
        missing += [f"indicators.{one.code}" for one in requirements.figures if not one.allow(given.get(one.code))]
    if requirements.attachments is not None and not _has_attachments(requirements.attachments, report):
        missing.append("attachments")
    missing += unsigned
    if requirements.checks:
        context = ConditionContext(report)
        missing += [f"checks.{check.id}" for check in requirements.checks if not context.satisfies(check.cel)]
    if requirements.parts:
        missing += [f"parts.{one.agency}" for one in requirements.parts if one.names.isdisjoint(report.parts)]
    return tuple(missing)


def _limit(required: IndicatorRequirement, declared: Indicator | None) -> FigureLimits:
    least, most = required.min, required.max
    if declared is not None:
        least = declared.min if least is None else least
        most = declared.max if most is None else most
    return FigureLimits(
        code=required.code,
        least=least,
        most=most,
        is_whole=required.integer or (declared is not None and declared.integer),
        is_required=True,
    )


def _limit_accepted(declared: Indicator) -> FigureLimits:
    return FigureLimits(
        code=declared.code, least=declared.min, most=declared.max, is_whole=declared.integer, is_required=False
    )


def _has_attachments(required: AttachmentRequirement, report: ReportContent) -> bool:
    """Whether enough files of the required media types came along; their case and parameters make no difference."""
    accepted = {one.lower() for one in required.media_types}
    fitting = [
        one for one in report.attachments if not accepted or one.media_type.split(";")[0].strip().lower() in accepted
    ]
    return len(fitting) >= required.min
