"""The contacts in the notifier's own database. They never leave it: not to a log, an event or another service."""

import secrets
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, time
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, InsertOne

from schemas.events.deliveries import Channel
from services.notifier.core.scheduling.routing import Contact, ContactBook
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.runtime import mongo

Document = dict[str, Any]
_EDITION_ID = "contacts"
_EDITION_BYTES = 8


class ContactStore:
    """Reads all contacts at once, and again only when they have changed: there are thousands, not millions.

    `edition` is that of the contacts last read.

    Both methods raise `LedgerUnavailableError` where trying again may help, and `LedgerRefusedError` where it cannot.
    """

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self._client = client
        self._contacts = client[name]["contacts"]
        self._editions = client[name]["editions"]
        self.edition: int | str | None = None
        self._book = ContactBook()

    async def load_book(self) -> ContactBook:
        """Return the contacts as they are now."""
        async with _translate_errors():
            current = await self._editions.find_one({"_id": _EDITION_ID})
            edition = current["edition"] if current else 0
            if edition != self.edition:
                found = await self._contacts.find().sort("_id", ASCENDING).to_list(None)
                self._book = ContactBook(_decode_contact(one) for one in found)
                self.edition = edition
        return self._book

    async def replace(self, contacts: Iterable[Contact]) -> None:
        """Replace all contacts of the agencies and lists that *contacts* name, in one transaction."""
        listed = list(contacts)
        agencies = sorted({one.agency for one in listed})
        inserts = [InsertOne(_encode_contact(one, position)) for position, one in enumerate(listed)]
        async with (
            _translate_errors(),
            await self._client.start_session() as session,
            session.start_transaction(),
        ):
            await self._contacts.delete_many({"agency": {"$in": agencies}}, session=session)
            if inserts:
                await self._contacts.bulk_write(inserts, session=session)
            # Notifiers compare the edition before every batch, instead of reading all contacts or watching a change
            # stream. It is drawn, not counted: after the loss of the database a count would repeat itself.
            next_edition = {"$set": {"edition": secrets.token_hex(_EDITION_BYTES)}}
            await self._editions.update_one({"_id": _EDITION_ID}, next_edition, upsert=True, session=session)


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)


def _encode_contact(contact: Contact, position: int) -> Document:
    return {
        "_id": f"{contact.agency}|{position:06d}",  # keeps the order of the file within an agency
        "agency": contact.agency,
        "channel": contact.channel.value,
        "address": contact.address,
        "role": contact.role,
        "language": contact.language,
        "from": contact.from_ and _to_midnight(contact.from_),
        "to": contact.to and _to_midnight(contact.to),
    }


def _decode_contact(document: Document) -> Contact:
    return Contact(
        agency=document["agency"],
        channel=Channel(document["channel"]),
        address=document["address"],
        role=document["role"],
        language=document["language"],
        from_=document["from"] and document["from"].date(),
        to=document["to"] and document["to"].date(),
    )


def _to_midnight(day: date) -> datetime:
    """Return a date as MongoDB can store it: BSON has instants only."""
    return datetime.combine(day, time.min, tzinfo=UTC)
