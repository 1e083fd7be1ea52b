"""What the notifier does with an assessment that it could read: schedule, send, record, and store in between."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import bson

from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry, WorkingDays
from services.notifier import ledger_documents
from services.notifier.channels import email, sms_smpp
from services.notifier.channels.email import MailHeaders
from services.notifier.channels.message_channel import OutgoingMessage
from services.notifier.core.rendering import render
from services.notifier.core.rendering.render import Occasion, RenderOptions
from services.notifier.core.scheduling import routing, schedule
from services.notifier.core.scheduling.delivery_events import DeliveryAttempt
from services.notifier.core.scheduling.routing import Contact, ContactBook, Delivery
from services.notifier.core.scheduling.schedule import SendingHours
from services.notifier.core.scheduling.scheduled_alert import DutyAlert, DutyAssessment
from services.notifier.ledger_documents import StoredSchedule
from services.reporting import event_decoder
from tests.support.builders import plans

NOW = datetime(2026, 12, 1, 5, tzinfo=UTC)
HOURS = SendingHours(opens=time(8), closes=time(17), zone=ZoneInfo("Asia/Ho_Chi_Minh"), days=WorkingDays())
LARGEST_DOCUMENT_BYTES = 16 * 1024 * 1024  # that MongoDB takes


class UsualDocuments:
    """The usual plan and registry, whatever id and version an assessment cites."""

    def __init__(self) -> None:
        self._plan, self._registry = plans.a_plan(), plans.a_registry()

    def plan(self, plan_id: str, version: int) -> Plan:
        """Return the usual plan."""
        del plan_id, version
        return self._plan

    def registry(self, registry_id: str, version: int) -> Registry:
        """Return the usual registry."""
        del registry_id, version
        return self._registry

    def hours(self, plan_id: str, version: int) -> SendingHours:
        """Return the usual sending hours."""
        del plan_id, version
        return HOURS


DOCUMENTS = UsualDocuments()


def send_alerts(assessment: DutyAssessment) -> None:
    """Go through the life of the alerts of *assessment*, today and a year later; raise what stops the notifier."""
    for now in (NOW, NOW + timedelta(days=400)):
        followed = schedule.follow_assessment(None, assessment, HOURS, now=now, lookback=timedelta(days=30))
        _store_schedule(StoredSchedule(schedule=followed, version=0))
        taken, rest = schedule.take_due(followed, HOURS, now)
        _store_schedule(StoredSchedule(schedule=rest, version=1))
        _send([followed.with_duty(alert) for alert in taken], now)


def _store_schedule(stored: StoredSchedule) -> None:
    encoded = bson.encode(ledger_documents.encode_schedule(stored))
    assert len(encoded) < LARGEST_DOCUMENT_BYTES
    again = ledger_documents.decode_schedule(bson.decode(encoded))
    assert again == StoredSchedule(schedule=stored.schedule, version=stored.version + 1)


def _send(alerts: Sequence[DutyAlert], now: datetime) -> None:
    reached = {one.duty.agency for one in alerts} | {one.alert.to for one in alerts}
    everybody = ContactBook(
        [Contact(agency=agency, channel=channel, address="84912345678") for agency in reached for channel in Channel]
    )
    for book in (everybody, ContactBook()):
        for one in routing.collect_digests(alerts, DOCUMENTS, book, now):
            for created in routing.create_deliveries(one, "batch"):
                _record(created, now)
                _write(created, now)


def _record(created: Delivery, now: datetime) -> None:
    """Store the delivery, and publish an attempt at it, which reporting must be able to read."""
    assert len(bson.encode(ledger_documents.encode_new_delivery(created, now))) < LARGEST_DOCUMENT_BYTES
    attempt = DeliveryAttempt(delivery=created, outcome=AttemptOutcome.DELIVERED, at=now)
    for event in ledger_documents.encode_events(attempt):
        assert event["key"]
        event_decoder.decode_delivery(event["value"].encode())


def _write(created: Delivery, now: datetime) -> None:
    try:
        content = render.render_digest(
            created.digest,
            DOCUMENTS,
            language=created.language,
            options=RenderOptions(),
            occasion=Occasion(now=now, delivery="d-1"),
        )
    except LookupError:
        return  # the plan has no such obligation: the attempt is recorded as failed
    message_id = created.message_id("x.vn")
    message = OutgoingMessage(
        id=created.id, address="a@x.vn", message_id=message_id, language=created.language, content=content, at=now
    )
    if created.channel is Channel.SMS:
        assert sms_smpp.build_parts(message)
        return
    headers = MailHeaders(
        sender="b@x.vn", sender_name="", recipient="a@x.vn", message_id=message_id, language=created.language, at=now
    )
    mail = email.write_mail(headers, content)
    head, _, _ = mail.partition(b"\r\n\r\n")
    assert b"Bcc" not in head
    assert len(head.split(b"\r\n")) < 40
