"""What a fact claims that the plan and the registry can confirm or deny: whose duty it is about, and which periods."""

from datetime import datetime

from msgspec import Struct

from schemas.events.facts import DutyRef, ExemptionGranted, FactModel, ReportReassigned, ReportSubmitted

Periods = tuple[tuple[str, str | None], ...]
"""The names of the fields that hold a period, and what they hold."""


class DutyReference(Struct, frozen=True, kw_only=True):
    """The part of a well-formed fact that admission judges. `span` is what an exemption covers, half-open."""

    plan: str
    obligation: str
    agency: str
    periods: Periods = ()
    on_behalf_of: str | None = None
    span: tuple[datetime, datetime] | None = None


def duty_reference_of(fact: FactModel) -> DutyReference:
    """Return what *fact* claims."""
    return DutyReference(
        plan=fact.plan,
        obligation=fact.obligation,
        agency=fact.agency,
        periods=_periods_of(fact),
        on_behalf_of=fact.on_behalf_of if isinstance(fact, ReportSubmitted) else None,
        span=(fact.from_, fact.until) if isinstance(fact, ExemptionGranted) else None,
    )


def _periods_of(fact: FactModel) -> Periods:
    match fact:
        case ReportReassigned():
            return ("from_period", fact.from_period), ("to_period", fact.to_period)
        case DutyRef():
            return (("period", fact.period),)
        case _:
            return ()
