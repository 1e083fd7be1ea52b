"""A client of the notifier for tests: publishes documents and assessments, loads contacts, reads what was sent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.assessments import ASSESSED, AlertStep, DutyAssessed, Status, StepKind, TimelineSegment
from schemas.events.deliveries import AlertAttempted, AttemptOutcome, Channel
from schemas.events.envelope import Envelope
from schemas.events.ids import digest, reference_key
from schemas.events.topics import DELIVERIES, REFERENCES, VERDICTS
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier.contacts.store import ContactStore
from services.notifier.core.scheduling.routing import Contact
from services.notifier.settings import GROUP
from services.runtime import mongo
from services.runtime.clock import steer
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.servers.kafka import Bus, Record
from tests.support.servers.mongo import Database

DUE = datetime(2026, 12, 9, 17, tzinfo=UTC)  # the end of 9 December 2026 in Viet Nam
NOON = datetime(2026, 12, 1, 5, tzinfo=UTC)  # of 1 December there: within the sending hours
AGENCY = plans.AGENCIES[0]


def a_step(days: int, kind: StepKind = StepKind.REMINDER, **changes: Any) -> AlertStep:
    """Return a step that many days before the due instant, or after it if negative."""
    defaults: dict[str, Any] = {"kind": kind, "step": f"P{abs(days)}D", "at": DUE - timedelta(days=days), "due_at": DUE}
    return AlertStep.model_validate(defaults | changes)


def an_urging(days: int, **changes: Any) -> AlertStep:
    """Return an urging that many days after the due instant."""
    return a_step(-days, StepKind.URGING, **changes)


def an_assessment(*steps: AlertStep, **changes: Any) -> DutyAssessed:
    """Return the assessment of a duty with nothing filed; `on_time` among *changes* is when a report came in."""
    came_at = changes.pop("on_time", None)
    opened = TimelineSegment.model_validate(
        {"from": DUE - timedelta(days=340), "status": Status.PENDING, "due_at": DUE}
    )
    then = {"from": DUE, "status": Status.OVERDUE, "due_at": DUE}
    if came_at is not None:
        then = {"from": came_at, "status": Status.ON_TIME, "due_at": DUE, "effective_at": came_at}
    defaults: dict[str, Any] = {
        "plan": plans.PLAN,
        "plan_version": 1,
        "registry": plans.REGISTRY,
        "registry_version": 1,
        "agency": AGENCY,
        "obligation": plans.OBLIGATION,
        "period": "2026",
        "clause": "III.1",
        "opens_at": opened.from_,
        "recorded_at": NOON - timedelta(days=30),
        "revision": 1,
        "timeline": (opened, TimelineSegment.model_validate(then)),
        "steps": steps,
    }
    return DutyAssessed.model_validate(defaults | changes)


def an_event_of(assessment: DutyAssessed) -> dict[str, Any]:
    """Return the event by which rules publishes an assessment."""
    identity = digest(assessment.agency, assessment.obligation, assessment.period or "", str(assessment.revision))
    event = Envelope[DutyAssessed](
        id=identity, source="dondoc/rules", type=ASSESSED, subject=assessment.agency, data=assessment
    )
    return event.model_dump(mode="json", by_alias=True)


def a_contact(agency: str = AGENCY, channel: Channel = Channel.EMAIL, address: str = "", **changes: Any) -> Contact:
    """Return a contact, by default with a mail address of its agency."""
    return Contact(agency=agency, channel=channel, address=address or f"van-thu@{agency}.example", **changes)


class NotifierClient:
    """What a test does to a notifier process and its servers, and what it sees of them, from outside."""

    def __init__(self, bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, clock: Path) -> None:
        self.bus = bus
        self.database = database
        self.smtp = smtp
        self.smsc = smsc
        self.clock = clock
        # Every address that was loaded: none of them may turn up outside the notifier's database.
        self.addresses: set[str] = set()
        self.settings = {
            "DONDOC_MONGO_URL": database.url,
            "DONDOC_NOTIFIER_MONGO_DATABASE": database.name,
            "DONDOC_NOTIFIER_SMTP_PORT": str(smtp.port),
            "DONDOC_NOTIFIER_SMPP_PORT": str(smsc.port),
            "DONDOC_NOTIFIER_SESSION_TIMEOUT_MS": "1500",
            "DONDOC_NOTIFIER_LEASE_SECONDS": "2",
            "DONDOC_NOTIFIER_SMTP_TIMEOUT_SECONDS": "1",
            "DONDOC_NOTIFIER_SMPP_TIMEOUT_SECONDS": "1",
            "DONDOC_CLOCK": f"steered:{clock}",
        }

    def set_clock(self, instant: datetime) -> None:
        """Set the steered clock."""
        steer(self.clock, instant)

    async def publish_documents(self, *documents: Plan | Registry) -> None:
        """Publish documents, by default one registry and one plan."""
        for document in documents or (plans.a_registry(), plans.a_plan()):
            kind, name = ("plan", document.plan) if isinstance(document, Plan) else ("registry", document.registry)
            value = document.model_dump_json(by_alias=True).encode()
            await self.bus.publish(REFERENCES.name, value, key=reference_key(kind, name, document.version), partition=0)

    async def load_contacts(self, *contacts: Contact) -> None:
        """Load contacts as `dondoc contacts import` does, by default one mail address of `AGENCY`."""
        loaded = contacts or (a_contact(),)
        self.addresses.update(one.address for one in loaded)
        client = mongo.connect(self.database.url)
        try:
            await ContactStore(client, self.database.name).replace(loaded)
        finally:
            client.close()

    async def publish_assessments(self, *assessments: DutyAssessed) -> None:
        """Publish assessments as rules does."""
        await self.bus.publish_all(VERDICTS.name, [(one.agency, an_event_of(one)) for one in assessments])

    async def wait_until_followed(self) -> None:
        """Wait until every published assessment is followed."""
        await self.bus.wait_until_consumed(GROUP, VERDICTS.name)

    async def wait_for_mails(self, count: int) -> Sequence[EmailMessage]:
        """Wait for that many mails, and return all there are."""
        return await eventually(lambda: self._mails_if_at_least(count), f"{count} mails in the mailbox")

    async def wait_for_attempts(self, count: int) -> list[AlertAttempted]:
        """Wait for the events of that many attempts; return each event once, in the order of the attempts."""

        async def probe() -> list[AlertAttempted]:
            found = await self.read_attempts()
            return found if len(found) >= count else []

        return await eventually(probe, f"{count} events of attempts")

    async def read_attempts(self) -> list[AlertAttempted]:
        """Return the attempts published so far, without confirmations; a repeated event counts once."""
        found = await self.read_events()
        events = {one.id: one.data for one in found if one.data.outcome is not AttemptOutcome.CONFIRMED}
        return sorted(events.values(), key=lambda one: (one.attempted_at, one.attempt, one.outcome != "unknown"))

    async def read_events(self) -> list[Envelope[AlertAttempted]]:
        """Return every event published so far, repetitions included."""
        records: list[Record] = await self.bus.records(DELIVERIES.name)
        return [Envelope[AlertAttempted].model_validate_json(one.value or b"") for one in records]

    async def wait_until_idle(self) -> None:
        """Wait until nothing is due, claimed or unpublished."""

        def is_done() -> bool:
            now = datetime.fromisoformat(self.clock.read_text(encoding="ascii"))
            busy = {"$or": [{"next_at": {"$lte": now}}, {"claim": {"$exists": True}}, {"unpublished": True}]}
            return not any(self.database[name].count_documents(busy) for name in ("agendas", "deliveries"))

        await eventually(is_done, "an empty outbox")

    async def wait_until_recovered(self) -> None:
        """Wait until no claim of a dead process is left."""
        claims = {"claim": {"$exists": True}}
        await eventually(lambda: not self.database["deliveries"].count_documents(claims), "no claim left")

    def _mails_if_at_least(self, count: int) -> Sequence[EmailMessage]:
        mails = self.smtp.mails()
        return mails if len(mails) >= count else ()


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""
