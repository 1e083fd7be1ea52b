"""Ledger documents: how agendas and deliveries are written down, and read back. Plain values; no driver, no query."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.core.scheduling.delivery import Attempt, Delivery, events
from services.notifier.core.scheduling.scheduled_alert import Agenda

Document = dict[str, Any]

CREATED = "created"
SENDING = "sending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An agenda as it lies in the ledger. `version` counts its writes."""

    agenda: Agenda
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new agenda in place of the one at `version` (0: of none); written only if that is still the one there."""

    agenda: Agenda
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that this process alone may attempt now, as attempt number `attempt`, until its lease runs out."""

    delivery: Delivery
    attempt: int
    claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of a claimed delivery, and when it is attempted again, if ever."""

    claimed: Claimed
    attempt: Attempt
    next_at: datetime | None
    provider_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished:
    """Events of one delivery that are not yet on the bus, each with its key and its JSON."""

    id: str
    events: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is due and not sent, what has failed and is tried again, when the next falls due, what is not told yet."""

    due_unsent: int
    next_send_at: datetime | None
    unpublished: int
    retrying: Mapping[Channel, int]


def agenda_document(change: Change) -> Document:
    """Write an agenda, with what the ledger looks it up by beside it."""
    written: Document = {
        "_id": str(change.agenda.duty),
        "version": change.version + 1,
        "next_at": change.agenda.next_at,
        "agency": change.agenda.duty.agency,
        "agenda": msgspec.to_builtins(change.agenda),
    }
    if change.agenda.taken:
        written |= {"round": change.agenda.taken.round, "round_until": change.agenda.taken.until}
    return written


def read_agenda(document: Mapping[str, Any]) -> Stored:
    """Read an agenda back."""
    return Stored(agenda=msgspec.convert(document["agenda"], Agenda), version=document["version"])


def delivery_document(delivery: Delivery, now: datetime) -> Document:
    """Write a new delivery: to be attempted at once, or ended already where nobody can be reached."""
    written: Document = {"_id": delivery.id, "attempt": 0, "delivery": msgspec.to_builtins(delivery)}
    if delivery.address:
        return {**written, "state": CREATED, "next_at": now}
    nobody = Attempt(number=0, outcome=AttemptOutcome.UNREACHABLE, at=now, reason="no_contact")
    return {**written, **ended_fields(nobody), "events": told(delivery, nobody)}


def read_delivery(document: Mapping[str, Any]) -> Delivery:
    """Read a delivery back."""
    return msgspec.convert(document["delivery"], Delivery)


def read_claimed(document: Mapping[str, Any]) -> Claimed:
    """Read a claimed delivery back."""
    return Claimed(delivery=read_delivery(document), attempt=document["attempt"], claim=document["claim"])


def ended_fields(attempt: Attempt) -> Document:
    """Return the fields in which an ended attempt shows on its delivery."""
    return {"state": attempt.outcome.value, "reason": attempt.reason, "at": attempt.at, "unpublished": True}


def told(delivery: Delivery, attempt: Attempt) -> list[Document]:
    """Return the events about *attempt* as they wait to be published."""
    return [{"key": one.subject, "value": one.model_dump_json()} for one in events(delivery, attempt)]


def refused_later(document: Mapping[str, Any], outcome: AttemptOutcome, now: datetime) -> Attempt:
    """Return the last attempt of a delivery as a later receipt corrects it."""
    return Attempt(number=document["attempt"], outcome=outcome, at=now, reason="receipt")
