"""Ledger documents: how schedules, deliveries and attempts are written in MongoDB, and read back. No driver, no query.

The stored field names are older than the names in the code (`waiting`, `said`, `taken`, `standing`, `tellings`, `call`,
`nth`, `round`). They stay as they are, because a running installation must go on reading its ledger; this module alone
translates between the two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from schemas.events import wire
from schemas.events.deliveries import AttemptOutcome, Channel
from services.notifier.address_vault import IN_CLEAR, AddressVault
from services.notifier.core.scheduling import delivery_events
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt, SentText
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.core.scheduling.schedule import AlertSchedule, DutySteps
from services.notifier.core.scheduling.scheduled_alert import ScheduledAlert

Document = dict[str, Any]

# The collections.
SCHEDULES, DELIVERIES, ENDED_ALERTS, RECEIPTS = "agendas", "deliveries", "ended_alerts", "receipts"

WITHOUT_CLAIM = {"claim": "", "leased_until": ""}
WITHOUT_ADDRESS = {"delivery.address": "", "delivery.sealed": "", "delivery.digest": ""}
IS_UNFINISHED = {"$or": [{"next_at": {"$exists": True}}, {"claim": {"$exists": True}}]}  # a delivery is due or claimed

UNREACHED = "unreached"  # a schedule has this field while it has unreached alerts

CREATED = "created"
# A delivery has this field while its alerts are still to be told by the next channel.
TO_NEXT_CHANNEL = "to_next_channel"

# A delivery that is about to go on the wire, or has gone. `sending` is what older ledgers call it, from the claim on.
BEGUN = "begun"
IS_BEGUN = {"$in": [BEGUN, "sending"]}


# Outcomes after which a message surely has not arrived.
_FAILED = frozenset(
    {AttemptOutcome.TEMPORARY_FAILURE, AttemptOutcome.TECHNICAL_FAILURE, AttemptOutcome.PERMANENT_FAILURE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSchedule:
    """A schedule and the version at which it was read (0: it is new).

    It is written only if the ledger still holds that version, and gets the next one.
    """

    schedule: AlertSchedule
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpublishedEvents:
    """The events of one delivery that are not published yet, each with its `key` and its JSON as `value`.

    `token` is that of the write which added the last of them; None where an earlier version did.
    """

    delivery_id: str
    events: tuple[Mapping[str, str], ...]
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is still to be done.

    `due_unsent` counts schedules and deliveries that are due or claimed, `unreached` schedules with an alert that has
    nobody to go to, `unpublished` deliveries with events that are not published, `retrying` deliveries that failed and
    are tried again. `next_send_at` is when the next one falls due.
    """

    due_unsent: int
    unreached: int
    next_send_at: datetime | None
    unpublished: int
    retrying: Mapping[Channel, int]


# The functions below rename fields in place: the dictionaries are fresh from the driver or from `msgspec`, and copying
# them would double the time of decoding, which every alert goes through five times. A decoder only adds names, so a
# document may be decoded again.


def encode_schedule(stored: StoredSchedule) -> Document:
    """Return the document of a schedule at its next version, with the fields that queries use beside it."""
    schedule = stored.schedule
    fields = msgspec.to_builtins(schedule)
    fields["said"] = fields.pop("sent_keys")
    fields["standing"] = fields.pop("active_steps")
    _encode_alerts(fields["waiting"])
    _encode_alerts(fields["unreached"])
    document: Document = {
        "_id": str(schedule.duty),
        "version": stored.version + 1,
        "next_at": schedule.next_at,
        "agency": schedule.duty.agency,
        "agenda": fields,
    }
    claimed = fields["taken"] = fields.pop("claimed")
    if schedule.claimed:
        _encode_claimed(claimed)
        document |= {"round": schedule.claimed.batch, "round_until": schedule.claimed.until}
    if schedule.unreached:
        document[UNREACHED] = True
    return document


def encode_claim(stored: StoredSchedule) -> Document:
    """Return the fields of a schedule that taking its due alerts changes, at its next version."""
    schedule = stored.schedule
    fields: Document = {
        "version": stored.version + 1,
        "next_at": schedule.next_at,
        "agenda.waiting": encode_scheduled_alerts(schedule.waiting),
        "agenda.said": list(schedule.sent_keys),
    }
    if schedule.claimed:
        fields |= {"round": schedule.claimed.batch, "round_until": schedule.claimed.until}
        claimed = fields["agenda.taken"] = msgspec.to_builtins(schedule.claimed)
        _encode_claimed(claimed)
    return fields


def encode_scheduled_alerts(alerts: Iterable[ScheduledAlert]) -> list[Document]:
    """Return *alerts* as they stand in the document of a schedule."""
    encoded: list[Document] = [msgspec.to_builtins(alert) for alert in alerts]
    _encode_alerts(encoded)
    return encoded


def decode_schedule(document: Document) -> StoredSchedule:
    """Read a schedule back."""
    fields = document["agenda"]
    fields["sent_keys"] = fields.get("said", [])
    fields["active_steps"] = fields.get("standing", [])
    _decode_alerts(fields.get("waiting", []))
    _decode_alerts(fields.get("unreached", []))
    claimed = fields["claimed"] = fields.get("taken")
    if claimed:
        claimed["batch"], claimed["alerts"] = claimed["round"], claimed["calls"]
        _decode_alerts(claimed["alerts"])
    return StoredSchedule(schedule=msgspec.convert(fields, AlertSchedule), version=document["version"])


def decode_steps(document: Document) -> DutySteps:
    """Read back what is called for and what was sent; the document of the schedule may hold nothing else."""
    agenda = document["agenda"]
    return msgspec.convert({"active": agenda.get("standing", []), "sent_keys": agenda.get("said", [])}, DutySteps)


def encode_new_delivery(delivery: Delivery, now: datetime, vault: AddressVault = IN_CLEAR) -> Document:
    """Return the document of a new delivery: due at once, or already ended if nobody can be reached."""
    fields = msgspec.to_builtins(delivery)
    if delivery.address:
        fields |= vault.encode_address(fields.pop("address"), delivery.to_agency)
    # What changes with every attempt stands beside the delivery, where queries find it.
    for name in ("attempt", "spent", "claim", "created_at", "route", "may_have_arrived"):
        del fields[name]
    for name in ("officer_week", "instead_of"):
        if fields[name] is None:
            del fields[name]
    fields["alert"] = fields.pop("alert_id")
    fields["tellings"] = fields.pop("alerts")
    for telling in fields["tellings"]:
        telling["call"] = telling.pop("alert")
        _encode_alerts([telling["call"]])
    duties = sorted({str(one.duty) for one in delivery.alerts})
    counters: Document = {"attempt": 0, "spent": 0, "created_at": now}
    document: Document = {"_id": delivery.id, **counters, "duties": duties, "delivery": fields}
    if delivery.address:
        return {**document, "state": CREATED, "next_at": now}
    unreachable = DeliveryAttempt(delivery=delivery, outcome=AttemptOutcome.UNREACHABLE, at=now, reason="no_contact")
    return {**document, **encode_outcome(unreachable), "events": encode_events(unreachable)}


def encode_orphan(attempt: DeliveryAttempt, vault: AddressVault) -> Document:
    """Return the document of an attempt whose delivery the ledger has lost: only its events matter."""
    fields = encode_new_delivery(attempt.delivery, attempt.at, vault)
    del fields["next_at"], fields["_id"]
    key = f"{attempt.delivery.id}/{attempt.delivery.attempt}"
    ended = {"attempt": attempt.delivery.attempt, **encode_outcome(attempt), "events": encode_events(attempt)}
    return {"_id": key, **fields, **ended}


def decode_delivery(document: Document, vault: AddressVault | None = None) -> Delivery:
    """Read a delivery back, with its number of attempts and its claim; without a vault an encrypted address is "".

    Raises `AddressKeyError` if the address was encrypted with another key than that of *vault*.
    """
    fields = document["delivery"]
    fields["address"] = (
        fields.get("address", "") if vault is None else vault.decode_address(fields, fields["to_agency"])
    )
    fields["alert_id"] = fields["alert"]
    fields["alerts"] = fields["tellings"]
    for telling in fields["tellings"]:
        telling["alert"] = telling["call"]
        _decode_alerts([telling["call"]])
    fields["attempt"], fields["claim"] = document["attempt"], document.get("claim")
    # A document of an older ledger has neither: every attempt at it was spent, and nobody knows since when it waits.
    fields["spent"], fields["created_at"] = document.get("spent", document["attempt"]), document.get("created_at")
    fields["route"] = document.get("route")
    if document["attempt"]:
        outcomes = document.get("outcomes")  # an older ledger kept the last one alone
        fields["may_have_arrived"] = outcomes is None or any(one["outcome"] not in _FAILED for one in outcomes)
    return msgspec.convert(fields, Delivery)


def encode_outcome(attempt: DeliveryAttempt) -> Document:
    """Return the fields of a delivery that show how its last attempt ended."""
    fields: Document = {"state": attempt.outcome.value, "reason": attempt.reason, "at": attempt.at, "unpublished": True}
    if attempt.goes_to_next_channel:
        fields[TO_NEXT_CHANNEL] = True
    return fields if attempt.route is None else {**fields, "route": attempt.route}


def encode_events(attempt: DeliveryAttempt) -> list[Document]:
    """Return the events about *attempt* as they wait in the outbox."""
    return [{"key": one.subject, "value": wire.encode(one).decode()} for one in delivery_events.build_events(attempt)]


def encode_ended(attempt: DeliveryAttempt) -> Document:
    """Return how *attempt* ended, for the chain of outcomes that a delivery keeps."""
    fields: Document = {"attempt": attempt.delivery.attempt, "outcome": attempt.outcome.value, "at": attempt.at}
    fields |= {"reason": attempt.reason, "route": attempt.route}
    return fields if attempt.answer is None else {**fields, "answer": attempt.answer}


def encode_text(text: SentText, at: datetime) -> Document:
    """Return the text of a message as its delivery keeps it."""
    return {**msgspec.to_builtins(text), "digest": text.digest, "at": at}


def correct_outcome(document: Document, outcome: AttemptOutcome, *, reason: str, now: datetime) -> DeliveryAttempt:
    """Return the last attempt of a stored delivery as what came back later corrects it.

    What bounced or expired is due again at once if a later provider of the channel is to try it.
    """
    falls_back = outcome in {AttemptOutcome.BOUNCED, AttemptOutcome.EXPIRED} and document.get("falls_back_to")
    return DeliveryAttempt(
        delivery=decode_delivery(document),
        outcome=outcome,
        at=now,
        reason=reason,
        route=document.get("route"),
        next_at=now if falls_back else None,
        bound_to=document["falls_back_to"] if falls_back else None,
    )


def _encode_claimed(claimed: Document) -> None:
    claimed["round"], claimed["calls"] = claimed.pop("batch"), claimed.pop("alerts")
    _encode_alerts(claimed["calls"])


def _encode_alerts(alerts: list[Document]) -> None:
    for alert in alerts:
        alert["nth"] = alert.pop("repetition")
        if alert["passes_at"] is None:  # nearly always: only of an agency that ends
            del alert["passes_at"], alert["successors"]


def _decode_alerts(alerts: list[Document]) -> None:
    for alert in alerts:
        alert["repetition"] = alert.get("nth", 0)
