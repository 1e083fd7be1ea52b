"""The facts about one duty with their content, as a reader is told of them, and the alerts about it.

A fact is a `DocketFact`, which says what it is and which submission it names, with the details that its kind has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from schemas.events.ids import DutyKey
from services.reporting.core.content.submission_history import DocketFact
from services.reporting.core.timeline import EventIdentity, StatusSpan
from services.reporting.core.urging import AlertAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file that a submission names; `is_stored` says that the form has stored it, so that it can be opened."""

    name: str
    media_type: str
    size: int
    sha256: str
    is_stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDetails:
    """What a submission contains. Figures are texts with the digits that they were written with."""

    number: str = ""
    issued_on: date | None = None
    signed_by: str | None = None
    title: str = ""
    sent_at: datetime | None = None
    proof: str = "none"
    on_behalf_of: str | None = None
    is_nil_return: bool = False
    cut_off: date | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[NamedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalDetails:
    """Why a submission was withdrawn."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignmentDetails:
    """Why a submission was moved from one period to another."""

    from_period: str | None = None
    to_period: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDetails:
    """Why the recipient returned a submission, and the exclusive instant before which the correction is asked for."""

    reason: str = ""
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceDetails:
    """What the recipient wrote when it accepted a submission."""

    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionDetails:
    """The decision that moves the due instant of the duty."""

    decision: str = ""
    due_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionDetails:
    """The decision that releases the agency from the duties due in [from, until)."""

    decision: str = ""
    from_at: datetime | None = None
    until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationDetails:
    """The decision that ends an exemption, and when the report is due instead."""

    decision: str = ""
    due_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDetails:
    """The content of a fact of a type that is not known here."""


FactDetails = (
    ReportDetails
    | WithdrawalDetails
    | ReassignmentDetails
    | ReturnDetails
    | AcceptanceDetails
    | ExtensionDetails
    | ExemptionDetails
    | RevocationDetails
    | UnknownDetails
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyFact:
    """A fact of a docket with its content."""

    fact: DocketFact
    details: FactDetails

    @property
    def event(self) -> str:
        """The id of the event."""
        return self.fact.identity[1]

    @property
    def report(self) -> ReportDetails | None:
        """What the submission contains; None for what is no submission."""
        return self.details if isinstance(self.details, ReportDetails) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert about a duty on one channel: its attempts in order of time, the last of which says how it ended."""

    attempts: tuple[AlertAttempt, ...]
    final: AlertAttempt


def select_facts_of_duty(
    facts: Iterable[DutyFact], key: DutyKey, spans: Sequence[StatusSpan], *, as_of: datetime
) -> tuple[DutyFact, ...]:
    """Return those *facts* of the docket that are about the duty and had happened by *as_of*, in order of receipt.

    A fact is about the duty if it names its period, if the duty's timeline rests on it, or if it acts on a submission
    that is about the duty. One that was received after *as_of* counts where what is known of that instant rests on it,
    as a report that was posted by then does.
    """
    known = [one for one in _list_once(facts) if _is_about(one, key, spans)]
    resting = {event for span in spans if span.from_at <= as_of for event in span.evidence}
    happened = [one for one in known if one.fact.received_at <= as_of or one.event in resting]
    return tuple(sorted(happened, key=_order_of_receipt))


def _list_once(facts: Iterable[DutyFact]) -> list[DutyFact]:
    """Return each identity once: of several facts that have it, the first recorded counts, as it does for rules."""
    first: dict[EventIdentity, DutyFact] = {}
    for one in sorted(facts, key=lambda fact: (fact.fact.recorded_at, fact.fact.received_at, fact.fact.receiptid)):
        first.setdefault(one.fact.identity, one)
    return list(first.values())


def _is_about(fact: DutyFact, key: DutyKey, spans: Sequence[StatusSpan]) -> bool:
    about = {fact.fact.period, fact.fact.from_period, fact.fact.to_period}
    names_period = key.period in about if key.period is not None else fact.fact.period is None
    if isinstance(fact.details, ExemptionDetails | RevocationDetails) and key.period is not None:
        # Such a decision names no period: it is about the duties whose timeline rests on it.
        names_period = False
    return names_period or any(fact.event in span.evidence for span in spans)


def _order_of_receipt(one: DutyFact) -> tuple[datetime, datetime, EventIdentity]:
    return one.fact.received_at, one.fact.recorded_at, one.fact.identity


def find_report(facts: Iterable[DutyFact], identity: EventIdentity | None) -> DutyFact | None:
    """Return the submission of that identity among *facts*, or None."""
    return next((one for one in facts if one.fact.identity == identity and one.report is not None), None)
