"""Use the notifier from outside: publish assessments, load contacts, and read what was delivered."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from deploy.local.servers.message_servers import Smsc, Smtp
from schemas.events.assessments import ASSESSED, AlertStep, DutyAssessed, Status, StepKind, TimelineSegment
from schemas.events.deliveries import AlertAttempted, Channel
from schemas.events.envelope import Envelope
from schemas.events.ids import digest, reference_key
from schemas.events.topics import DELIVERIES, REFERENCES, VERDICTS
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.notifier.contact_store import ContactStore
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
    """A step *days* before the due instant, or after it where negative."""
    usual: dict[str, Any] = {"kind": kind, "step": f"P{abs(days)}D", "at": DUE - timedelta(days=days), "due_at": DUE}
    return AlertStep.model_validate(usual | changes)


def an_urging(days: int, **changes: Any) -> AlertStep:
    """An urging *days* after the due instant."""
    return a_step(-days, StepKind.URGING, **changes)


def an_assessment(*steps: AlertStep, **changes: Any) -> DutyAssessed:
    """The assessment of a duty with nothing on file; `on_time` among *changes* is when a report came in."""
    came_at = changes.pop("on_time", None)
    opened = TimelineSegment.model_validate(
        {"from": DUE - timedelta(days=340), "status": Status.PENDING, "due_at": DUE}
    )
    then = {"from": DUE, "status": Status.OVERDUE, "due_at": DUE}
    if came_at is not None:
        then = {"from": came_at, "status": Status.ON_TIME, "due_at": DUE, "effective_at": came_at}
    usual: dict[str, Any] = {
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
    return DutyAssessed.model_validate(usual | changes)


def an_event_of(assessed: DutyAssessed) -> dict[str, Any]:
    """Return the assessment as the event that rules publishes."""
    identity = digest(assessed.agency, assessed.obligation, assessed.period or "", str(assessed.revision))
    event = Envelope[DutyAssessed](
        id=identity, source="dondoc/rules", type=ASSESSED, subject=assessed.agency, data=assessed
    )
    return event.model_dump(mode="json", by_alias=True)


def a_contact(agency: str = AGENCY, channel: Channel = Channel.EMAIL, address: str = "", **changes: Any) -> Contact:
    """Build a contact that is reached by mail at an address of its agency."""
    return Contact(agency=agency, channel=channel, address=address or f"van-thu@{agency}.example", **changes)


class Alerts:
    """Feeds the notifier and reads its effects, from outside."""

    def __init__(self, bus: Bus, database: Database, smtp: Smtp, smsc: Smsc, clock: Path) -> None:
        self.bus = bus
        self.database = database
        self.smtp = smtp
        self.smsc = smsc
        self.clock = clock
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

    def now_is(self, instant: datetime) -> None:
        """Set the clock."""
        steer(self.clock, instant)

    async def published(self, *documents: Plan | Registry) -> None:
        """Publish documents, by default the usual ones."""
        for document in documents or (plans.a_registry(), plans.a_plan()):
            kind, name = ("plan", document.plan) if isinstance(document, Plan) else ("registry", document.registry)
            value = document.model_dump_json(by_alias=True).encode()
            await self.bus.publish(REFERENCES.name, value, key=reference_key(kind, name, document.version), partition=0)

    async def reachable(self, *contacts: Contact) -> None:
        """Load contacts as `dondoc contacts import` does, by default one of the usual agency's."""
        client = mongo.connect(self.database.url)
        try:
            await ContactStore(client, self.database.name).replace(contacts or (a_contact(),))
        finally:
            client.close()

    async def assessed(self, *assessments: DutyAssessed) -> None:
        """Publish assessments as rules does."""
        for one in assessments:
            await self.bus.publish(VERDICTS.name, an_event_of(one), key=one.agency)

    async def followed(self) -> None:
        """Wait until every assessment is processed."""
        await self.bus.caught_up(GROUP, VERDICTS.name)

    async def mailed(self, count: int) -> Sequence[EmailMessage]:
        """Wait for so many mails, and return all there are."""
        return await eventually(lambda: self._at_least(count), f"{count} mails in the mailbox")

    async def told(self, count: int) -> list[AlertAttempted]:
        """Wait for so many events of attempts, each once, and return them in the order of their attempts."""

        async def probe() -> list[AlertAttempted]:
            found = await self.attempts()
            return found if len(found) >= count else []

        return await eventually(probe, f"{count} events of attempts")

    async def attempts(self) -> list[AlertAttempted]:
        """Read the attempts that the notifier has published so far, without repeated events."""
        events = {one.id: one.data for one in await self.events()}
        return sorted(events.values(), key=lambda one: (one.attempted_at, one.attempt, one.outcome != "unknown"))

    async def events(self) -> list[Envelope[AlertAttempted]]:
        """Read every event of the notifier, including repetitions."""
        records: list[Record] = await self.bus.records(DELIVERIES.name)
        return [Envelope[AlertAttempted].model_validate_json(one.value or b"") for one in records]

    async def nothing_left(self) -> None:
        """Wait until nothing is due, in progress or unpublished."""

        def is_done() -> bool:
            now = datetime.fromisoformat(self.clock.read_text(encoding="ascii"))
            busy = {"$or": [{"next_at": {"$lte": now}}, {"claim": {"$exists": True}}, {"unpublished": True}]}
            return not any(self.database[name].count_documents(busy) for name in ("agendas", "deliveries"))

        await eventually(is_done, "an empty outbox")

    async def recovered(self) -> None:
        """Wait until no claim of a dead process is left."""
        claims = {"claim": {"$exists": True}}
        await eventually(lambda: not self.database["deliveries"].count_documents(claims), "no claim left")

    def _at_least(self, count: int) -> Sequence[EmailMessage]:
        mails = self.smtp.mails()
        return mails if len(mails) >= count else ()


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""
