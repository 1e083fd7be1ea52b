"""Acknowledgements in the ledger: that an agency has read a letter, and the day that it names, beside the delivery.

The event about it is written in the same document, and published from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from schemas.events import ids
from schemas.events.deliveries import ACKNOWLEDGED, AlertAcknowledged, AlertedDuty
from schemas.events.envelope import Envelope
from services.notifier import ledger_documents
from services.notifier.core.scheduling import delivery_events
from services.notifier.core.scheduling.routing import Delivery
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import DELIVERIES, Document
from services.runtime import mongo


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """An agency has read the delivery of that public id, and names a day for its report or none."""

    delivery: str
    agency: str
    promised_on: date | None


class AcknowledgementStore:
    """Raises `LedgerUnavailableError` where trying again may help, else `LedgerRefusedError`."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._deliveries = client[name][DELIVERIES]

    async def record(self, said: Acknowledgement, now: datetime) -> bool:
        """Record what was *said*; return whether the letter is known. Saying the same again changes nothing."""
        named: dict[str, Any] = {"_id": {"$gte": said.delivery, "$lt": f"{said.delivery}g"}}
        promised = said.promised_on.isoformat() if said.promised_on else None
        async with mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError):
            found = await self._deliveries.find_one(named)
            if found is None or found["delivery"]["to_agency"] != said.agency:
                return False
            known = found.get("acknowledged")
            if known is not None and known["promised_on"] == promised:
                return True
            event = _build_event(ledger_documents.decode_delivery(dict(found)), said, now)
            await self._deliveries.update_one(
                # Another request may say another day at the same time: the later one finds the first one's answer.
                {"_id": found["_id"], "acknowledged": known},
                {
                    "$set": {"acknowledged": {"promised_on": promised, "at": now}, "unpublished": True},
                    "$unset": {"outbox": ""},
                    "$push": {"events": event},
                },
            )
        return True


def _build_event(delivery: Delivery, said: Acknowledgement, now: datetime) -> Mapping[str, str]:
    told = (delivery_events.describe_duty(one) for one in delivery.alerts if one.duty.agency == said.agency)
    duties = tuple(AlertedDuty.model_validate(one, from_attributes=True) for one in told)
    promised = said.promised_on.isoformat() if said.promised_on else ""
    event = Envelope[AlertAcknowledged](
        id=ids.digest("acknowledged", delivery.id, promised, now.astimezone(UTC).isoformat()),
        source=delivery_events.SOURCE,
        type=ACKNOWLEDGED,
        subject=said.agency,
        time=now,
        data=AlertAcknowledged(
            agency=said.agency, duties=duties, alert=delivery.alert_id, promised_on=said.promised_on
        ),
    )
    return {"key": said.agency, "value": event.model_dump_json()}
