"""The documents of a running installation's ledger stay readable, whatever the names in the code are."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from schemas.events.assessments import StepKind
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.events.event_origin import NO_ORIGIN, EventOrigin, TraceContext
from schemas.events.ids import DutyKey
from schemas.events.wire import WireSuccessor
from services.notifier import ledger_documents
from services.notifier.address_vault import IN_CLEAR
from services.notifier.core.scheduling import routing
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.routing import Delivery, OfficerWeek
from services.notifier.core.scheduling.schedule import AlertSchedule, ClaimedAlerts
from services.notifier.core.scheduling.scheduled_alert import Correction, DutyAlert, ScheduledAlert
from services.notifier.ledger_documents import StoredSchedule
from tests.unit.notifier.schedule_builders import DUE, DUTY, OPENS, days

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STORED_ALERT = {
    "kind": "urging",
    "step": "P14D",
    "at": "2027-01-13T17:00:00Z",
    "send_at": "2027-01-14T00:30:00Z",
    "due_at": "2026-12-09T17:00:00Z",
    "to": "self",
    "every": "P7D",
    "until": None,
    "missing": ["signed"],
    "first_at": "2026-12-23T17:00:00Z",
    "nth": 3,
    "correction": {"submission": "s-1", "reason": "Số liệu chưa khớp", "respond_by": "2027-01-20T17:00:00Z"},
    "at_most": None,
    "settle": None,
    "notice": None,
}
ALERT = ScheduledAlert(
    kind=StepKind.URGING,
    step="P14D",
    at=days(35),
    send_at=days(35.3125),
    due_at=DUE,
    every="P7D",
    missing=("signed",),
    first_at=days(14),
    repetition=3,
    correction=Correction(
        submission="s-1", reason="Số liệu chưa khớp", respond_by=datetime(2027, 1, 20, 17, tzinfo=UTC)
    ),
)
STORED_ORIGIN = {
    "received_at": "2026-12-09T16:00:00Z",
    "assessed_at": "2026-12-09T16:00:01Z",
    "trace": {"parent": PARENT, "state": "a=1"},
}
ORIGIN = EventOrigin(
    received_at=datetime(2026, 12, 9, 16, tzinfo=UTC),
    assessed_at=datetime(2026, 12, 9, 16, 0, 1, tzinfo=UTC),
    trace=TraceContext(parent=PARENT, state="a=1"),
)
STORED_DUTY = {"plan": "P-1", "agency": "h-mot", "obligation": "results", "period": "2026"}
KEY = "urging|P14D|2026-12-09T17:00:00.000+00:00|self"
STORED_SCHEDULE: dict[str, Any] = {
    "_id": "P-1|h-mot|results|2026",
    "version": 4,
    "next_at": days(35.3125),
    "agency": "h-mot",
    "agenda": {
        "duty": STORED_DUTY,
        "plan_version": 1,
        "registry": "th",
        "registry_version": 2,
        "clause": "III.1",
        "revision": 7,
        "known_since": "2025-12-31T17:00:00Z",
        "waiting": [STORED_ALERT],
        "said": [KEY],
        "taken": {"round": "p-1", "until": "2027-01-14T00:31:00Z", "calls": [STORED_ALERT]},
        "standing": [[KEY, None]],
        "unreached": [STORED_ALERT],
        "digest": "d-1",
        "timeline": [],
        "origin": STORED_ORIGIN,
    },
    "unreached": True,
    "round": "p-1",
    "round_until": days(35.3125) + (days(1) - days(0)) / 1440,
}
SCHEDULE = AlertSchedule(
    duty=DUTY,
    plan_version=1,
    registry="th",
    registry_version=2,
    clause="III.1",
    revision=7,
    known_since=OPENS,
    waiting=(ALERT,),
    sent_keys=frozenset({KEY}),
    claimed=ClaimedAlerts(batch="p-1", until=STORED_SCHEDULE["round_until"], alerts=(ALERT,)),
    active_steps=((KEY, None),),
    unreached=(ALERT,),
    digest="d-1",
    origin=ORIGIN,
)
STORED_DELIVERY: dict[str, Any] = {
    "_id": "d-1",
    "attempt": 0,
    "delivery": {
        "id": "d-1",
        "alert": "a-1",
        "to_agency": "h-mot",
        "channel": "email",
        "address": "a@x.example",
        "language": "vi",
        "tellings": [
            {
                "duty": STORED_DUTY,
                "plan_version": 1,
                "registry": "th",
                "registry_version": 2,
                "clause": "III.1",
                "call": STORED_ALERT,
                "origin": STORED_ORIGIN,
            }
        ],
    },
    "state": "created",
    "next_at": DUE,
}
DELIVERY = Delivery(
    id="d-1",
    alert_id="a-1",
    to_agency="h-mot",
    channel=Channel.EMAIL,
    address="a@x.example",
    language="vi",
    alerts=(
        DutyAlert(
            duty=DutyKey(plan="P-1", agency="h-mot", obligation="results", period="2026"),
            plan_version=1,
            registry="th",
            registry_version=2,
            clause="III.1",
            alert=ALERT,
            origin=ORIGIN,
        ),
    ),
)


def test_a_stored_schedule_is_read_under_its_stored_names() -> None:
    """Every field of a stored schedule arrives, and reading the document again gives the same."""
    document = deepcopy(STORED_SCHEDULE)
    assert ledger_documents.decode_schedule(document) == StoredSchedule(schedule=SCHEDULE, version=4)
    assert ledger_documents.decode_schedule(document) == StoredSchedule(schedule=SCHEDULE, version=4)


def test_a_schedule_is_written_under_its_stored_names() -> None:
    """The document has the stored names and no other, and the next version."""
    written = ledger_documents.encode_schedule(StoredSchedule(schedule=SCHEDULE, version=3))
    assert _as_lists(written) == STORED_SCHEDULE


def test_for_whom_an_alert_is_after_the_end_of_its_agency_is_kept() -> None:
    """The instant and the successors come back; of other alerts nothing of it is stored."""
    successor = WireSuccessor(agency="h-hai", starts_at=days(40), until=days(90))
    passing = replace(SCHEDULE, waiting=(replace(ALERT, passes_at=days(40), successors=(successor,)),))
    written = ledger_documents.encode_schedule(StoredSchedule(schedule=passing, version=3))
    assert ledger_documents.decode_schedule(written).schedule == passing


def test_a_schedule_without_a_claim_is_written_without_a_batch() -> None:
    """The fields by which lost batches and unreached alerts are found are absent, not empty."""
    idle = replace(SCHEDULE, claimed=None, unreached=())
    written = ledger_documents.encode_schedule(StoredSchedule(schedule=idle, version=3))
    assert written["agenda"]["taken"] is None
    assert written.keys().isdisjoint({"round", "round_until", "unreached"})


def test_a_schedule_of_an_earlier_version_is_read() -> None:
    """What earlier versions did not store is empty."""
    document = deepcopy(STORED_SCHEDULE)
    del document["agenda"]["unreached"], document["agenda"]["digest"], document["unreached"]
    del document["agenda"]["origin"]
    read = ledger_documents.decode_schedule(document).schedule
    assert read == replace(SCHEDULE, unreached=(), digest="", origin=NO_ORIGIN)


def test_a_stored_delivery_is_read_under_its_stored_names() -> None:
    """A delivery that is not claimed has no claim; a claimed one has its claim and the number of the attempt."""
    claimed = {**deepcopy(STORED_DELIVERY), "attempt": 2, "claim": "p-5"}
    assert ledger_documents.decode_delivery(deepcopy(STORED_DELIVERY)) == DELIVERY
    assert ledger_documents.decode_delivery(claimed) == replace(
        DELIVERY, attempt=2, spent=2, claim="p-5", may_have_arrived=True
    )


def test_a_new_delivery_is_written_under_its_stored_names() -> None:
    """The document has the stored names and no other."""
    assert _as_lists(ledger_documents.encode_new_delivery(DELIVERY, DUE)) == {
        **STORED_DELIVERY,
        "spent": 0,
        "created_at": DUE,
        "duties": ["P-1|h-mot|results|2026"],
    }


def _as_lists(value: Any) -> Any:
    """Return *value* as MongoDB stores it: every sequence is an array."""
    if isinstance(value, dict):
        return {key: _as_lists(one) for key, one in value.items()}
    return [_as_lists(one) for one in value] if isinstance(value, list | tuple) else value


def test_the_digest_of_an_officer_is_a_delivery_without_alerts_and_without_events() -> None:
    """It is read back as it was written, is listed by its week, and the bus hears nothing of it."""
    week = OfficerWeek(plan="P-1", monday=date(2026, 12, 14))
    created = routing.create_officer_delivery(week, "can-bo@bank.example")
    assert created == routing.create_officer_delivery(week, "can-bo@bank.example")
    document = ledger_documents.encode_new_delivery(created, DUE)
    assert (document["state"], document["next_at"], document["duties"]) == ("created", DUE, [])
    read = ledger_documents.decode_delivery(deepcopy(document), IN_CLEAR)
    assert replace(read, created_at=None) == created
    assert (read.kind, read.step, read.to_agency) == ("officer-digest", "2026-12-14", "officer")
    assert read.origin == NO_ORIGIN
    ended = DeliveryAttempt(delivery=read, outcome=AttemptOutcome.ACCEPTED, at=DUE)
    assert ledger_documents.encode_events(ended) == []
