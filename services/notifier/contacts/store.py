"""The contacts in the notifier's own database. They never leave it: not to a log, an event or another service.

With a key their addresses are encrypted there. Those that were stored without it can be read all the same, and are
encrypted with the next import.
"""

import secrets
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import ASCENDING, InsertOne

from schemas.events.deliveries import Channel
from services.notifier.contacts.address_cipher import AddressCipher
from services.notifier.core.scheduling import routing
from services.notifier.core.scheduling.routing import Contact, ContactBook
from services.notifier.errors import AddressKeyError, LedgerRefusedError, LedgerUnavailableError
from services.notifier.settings import NotifierSettings
from services.runtime import mongo

Document = dict[str, Any]
_EDITION_ID = "contacts"
_EDITION_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSelection:
    """Contacts to be removed: of an agency or list, on a channel, with an address, or ended before a day.

    What is None selects nothing out; a selection of nothing at all is refused by its caller.
    """

    agency: str | None = None
    channel: Channel | None = None
    address: str | None = None
    ended_before: date | None = None


class ContactStore:
    """Reads all contacts at once, and again only when they have changed: there are thousands, not millions.

    `edition` is that of the contacts last read.

    All methods raise `LedgerUnavailableError` where trying again may help, and `LedgerRefusedError` where it cannot;
    reading raises `AddressKeyError` where the addresses are encrypted with another key than that of *cipher*.
    """

    def __init__(self, client: AsyncIOMotorClient[Document], name: str, cipher: AddressCipher | None = None) -> None:
        self._client = client
        self._cipher = cipher
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
                self._book = ContactBook(self._decode_contact(one) for one in found)
                self.edition = edition
        return self._book

    async def replace(self, contacts: Iterable[Contact]) -> None:
        """Replace all contacts of the agencies and lists that *contacts* name, in one transaction."""
        listed = list(contacts)
        agencies = sorted({one.agency for one in listed})
        inserts = [InsertOne(self._encode_contact(one, position)) for position, one in enumerate(listed)]
        async with (
            _translate_errors(),
            await self._client.start_session() as session,
            session.start_transaction(),
        ):
            await self._contacts.delete_many({"agency": {"$in": agencies}}, session=session)
            if inserts:
                await self._contacts.bulk_write(inserts, session=session)
            await self._draw_edition(session)

    async def remove(self, selection: ContactSelection) -> int:
        """Remove the contacts of *selection* for good, in one transaction; return how many there were."""
        async with (
            _translate_errors(),
            await self._client.start_session() as session,
            session.start_transaction(),
        ):
            removed = await self._contacts.delete_many(self._make_filter(selection), session=session)
            await self._draw_edition(session)
        return int(removed.deleted_count)

    async def _draw_edition(self, session: AsyncIOMotorClientSession) -> None:
        # Notifiers compare the edition before every batch, instead of reading all contacts or watching a change stream.
        # It is drawn, not counted: after the loss of the database a count would repeat itself.
        next_edition = {"$set": {"edition": secrets.token_hex(_EDITION_BYTES)}}
        await self._editions.update_one({"_id": _EDITION_ID}, next_edition, upsert=True, session=session)

    def _make_filter(self, selection: ContactSelection) -> Document:
        found: Document = {}
        if selection.agency is not None:
            found["agency"] = selection.agency
        if selection.channel is not None:
            found["channel"] = selection.channel.value
        if selection.address is not None:
            ways: list[Document] = [{"address": selection.address}]
            if self._cipher is not None:
                ways.append({"digest": self._cipher.digest(selection.address)})
            found["$or"] = ways
        if selection.ended_before is not None:
            found["to"] = {"$ne": None, "$lte": _to_midnight(selection.ended_before)}
        return found

    def _encode_contact(self, contact: Contact, position: int) -> Document:
        return {
            "_id": f"{contact.agency}|{position:06d}",  # keeps the order of the file within an agency
            "agency": contact.agency,
            "channel": contact.channel.value,
            **self._encode_address(contact),
            "role": contact.role.value,
            "language": contact.language,
            "from": contact.from_ and _to_midnight(contact.from_),
            "to": contact.to and _to_midnight(contact.to),
        }

    def _encode_address(self, contact: Contact) -> Document:
        if self._cipher is None:
            return {"address": contact.address}
        sealed = self._cipher.encrypt(contact.address, contact.agency)
        return {"sealed": sealed, "digest": self._cipher.digest(contact.address)}

    def _decode_contact(self, document: Document) -> Contact:
        return Contact(
            agency=document["agency"],
            channel=Channel(document["channel"]),
            address=self._decode_address(document),
            # A contact of an earlier version has the title as it was written.
            role=routing.classify_role(document["role"]),
            language=document["language"],
            from_=document["from"] and document["from"].date(),
            to=document["to"] and document["to"].date(),
        )

    def _decode_address(self, document: Document) -> str:
        sealed = document.get("sealed")
        if sealed is None:
            return str(document["address"])
        if self._cipher is None:
            raise AddressKeyError
        return self._cipher.decrypt(sealed, document["agency"])


def open_contacts(client: AsyncIOMotorClient[Document], settings: NotifierSettings) -> ContactStore:
    """Return the store of the contacts that *settings* name, with their key if there is one."""
    key = settings.contacts_key
    cipher = None if key is None else AddressCipher(key.get_secret_value())
    return ContactStore(client, settings.mongo_database, cipher)


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)


def _to_midnight(day: date) -> datetime:
    """Return a date as MongoDB can store it: BSON has instants only."""
    return datetime.combine(day, time.min, tzinfo=UTC)
