"""The contacts in the notifier's own database. They never leave it: not to a log, an event or another service.

With a key their addresses are encrypted there. Those that were stored without it can be read all the same, and are
encrypted with the next import. An address that nobody has is suspended: nothing is sent there until it is reinstated.
"""

import secrets
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import ASCENDING, InsertOne, UpdateMany

from schemas.events.deliveries import Channel
from services.notifier.address_vault import IN_CLEAR, AddressVault
from services.notifier.core.scheduling import routing
from services.notifier.core.scheduling.routing import EVERY_CHANNEL, ChannelOrder, Contact, ContactBook
from services.notifier.errors import LedgerRefusedError, LedgerUnavailableError
from services.notifier.ledger_documents import DELIVERIES, WITHOUT_ADDRESS
from services.runtime import mongo

Document = dict[str, Any]
_EDITION_ID = "contacts"
_EDITION_BYTES = 8
_IS_SUSPENDED = {"suspended": {"$exists": True}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSelection:
    """Contacts to be removed or reinstated: of an agency or list, on a channel, with an address, or ended before a day.

    What is None selects nothing out; a selection of nothing at all is refused by its caller.
    """

    agency: str | None = None
    channel: Channel | None = None
    address: str | None = None
    ended_before: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadAddress:
    """An address that a server says nobody has, and the code for it."""

    channel: Channel
    address: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedContacts:
    """How many contacts were removed, and how many deliveries in the ledger have lost their address with them."""

    contacts: int
    deliveries: int


class ContactStore:
    """Reads all contacts at once, and again only when they have changed: there are thousands, not millions.

    `edition` is that of the contacts last read, *order* on which channels each role is written to.

    All methods raise `LedgerUnavailableError` where trying again may help, and `LedgerRefusedError` where it cannot;
    what reads addresses raises `AddressKeyError` where they are encrypted with another key than that of *vault*.
    """

    def __init__(
        self,
        client: AsyncIOMotorClient[Document],
        name: str,
        vault: AddressVault = IN_CLEAR,
        order: ChannelOrder = EVERY_CHANNEL,
    ) -> None:
        self._client = client
        self._order = order
        self._vault = vault
        self._deliveries = client[name][DELIVERIES]
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
                self._book = ContactBook((self._decode_contact(one) for one in found), self._order)
                self.edition = edition
        return self._book

    async def replace(self, contacts: Iterable[Contact]) -> None:
        """Replace all contacts of the agencies and lists that *contacts* name, in one transaction.

        An address that was suspended stays so, since it is written down again and no better for that.
        """
        listed = list(contacts)
        of_agencies = {"agency": {"$in": sorted({one.agency for one in listed})}}
        async with (
            _translate_errors(),
            await mongo.resolve(self._client.start_session()) as session,
            await mongo.resolve(session.start_transaction()),
        ):
            known = await self._contacts.find({**of_agencies, **_IS_SUSPENDED}, session=session).to_list(None)
            suspensions = {_identify(self._decode_contact(one)): one["suspended"] for one in known}
            await self._contacts.delete_many(of_agencies, session=session)
            inserts = [
                InsertOne(self._encode_contact(one, position, suspensions.get(_identify(one))))
                for position, one in enumerate(listed)
            ]
            if inserts:
                await self._contacts.bulk_write(inserts, session=session)
            await self._draw_edition(session)

    async def remove(self, selection: ContactSelection) -> RemovedContacts:
        """Remove the contacts of *selection* for good, and erase their addresses in the ledger.

        What waits to be sent to them is not sent.
        """
        async with _translate_errors():
            found = await self._contacts.find(self._make_filter(selection)).to_list(None)
            # The ledger first: if this process dies in between, the contacts are found again. No transaction, because
            # no index leads from an address to its deliveries, and a transaction may last for a minute.
            conditions = await self._find_erased(selection, found)
            erased = 0
            if conditions:
                written = await self._deliveries.update_many({"$or": conditions}, {"$unset": WITHOUT_ADDRESS})
                erased = written.modified_count
            async with (
                await mongo.resolve(self._client.start_session()) as session,
                await mongo.resolve(session.start_transaction()),
            ):
                removed = await self._contacts.delete_many(
                    {"_id": {"$in": [one["_id"] for one in found]}}, session=session
                )
                await self._draw_edition(session)
        return RemovedContacts(contacts=removed.deleted_count, deliveries=erased)

    async def suspend(self, addresses: Sequence[DeadAddress], now: datetime) -> int:
        """Send nothing to *addresses* any more; return how many contacts have one and were not suspended before."""
        return await self._change(
            [
                UpdateMany(
                    {
                        "channel": one.channel.value,
                        "suspended": {"$exists": False},
                        **self._vault.find_address(one.address),
                    },
                    {"$set": {"suspended": {"reason": one.reason, "at": now}}},
                )
                for one in addresses
            ]
        )

    async def reinstate(self, selection: ContactSelection) -> int:
        """Write to suspended contacts of *selection* again; return how many there were."""
        suspended = {**self._make_filter(selection), **_IS_SUSPENDED}
        return await self._change([UpdateMany(suspended, {"$unset": {"suspended": ""}})])

    async def count_suspended(self) -> int:
        """Return how many contacts are suspended."""
        async with _translate_errors():
            return int(await self._contacts.count_documents(_IS_SUSPENDED))

    async def _change(self, writes: Sequence[UpdateMany]) -> int:
        if not writes:
            return 0
        async with (
            _translate_errors(),
            await mongo.resolve(self._client.start_session()) as session,
            await mongo.resolve(session.start_transaction()),
        ):
            written = await self._contacts.bulk_write(writes, session=session)
            if written.modified_count:
                await self._draw_edition(session)
        return int(written.modified_count)

    async def _find_erased(self, selection: ContactSelection, removed: Sequence[Document]) -> list[Document]:
        """Return the conditions on the deliveries to *removed*, without those to who stays a contact all the same."""
        gone = {_identify(self._decode_contact(one)) for one in removed}
        others = {
            "agency": {"$in": sorted({agency for agency, _, _ in gone})},
            "_id": {"$nin": [one["_id"] for one in removed]},
        }
        gone -= {_identify(self._decode_contact(one)) async for one in self._contacts.find(others)}
        conditions: list[Document] = [
            {
                "delivery.to_agency": agency,
                "delivery.channel": channel,
                **self._vault.find_address(address, "delivery."),
            }
            for agency, channel, address in sorted(gone)
        ]
        if selection.address is not None and selection == ContactSelection(address=selection.address):
            # Whoever asks for an address to be erased may have been a contact once, and not be one today.
            conditions.append(self._vault.find_address(selection.address, "delivery."))
        return conditions

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
            found |= self._vault.find_address(selection.address)
        if selection.ended_before is not None:
            found["to"] = {"$ne": None, "$lte": _to_midnight(selection.ended_before)}
        return found

    def _encode_contact(self, contact: Contact, position: int, suspended: Document | None) -> Document:
        fields: Document = {} if suspended is None else {"suspended": suspended}
        return {
            **fields,
            "_id": f"{contact.agency}|{position:06d}",  # keeps the order of the file within an agency
            "agency": contact.agency,
            "channel": contact.channel.value,
            **self._vault.encode_address(contact.address, contact.agency),
            "role": contact.role.value,
            "language": contact.language,
            "from": contact.from_ and _to_midnight(contact.from_),
            "to": contact.to and _to_midnight(contact.to),
        }

    def _decode_contact(self, document: Document) -> Contact:
        return Contact(
            agency=document["agency"],
            channel=Channel(document["channel"]),
            address=self._vault.decode_address(document, document["agency"]),
            # A contact of an earlier version has the title as it was written.
            role=routing.classify_role(document["role"]),
            language=document["language"],
            from_=document["from"] and document["from"].date(),
            to=document["to"] and document["to"].date(),
            suspended=document.get("suspended", {}).get("reason"),
        )


def _identify(contact: Contact) -> tuple[str, str, str]:
    return contact.agency, contact.channel.value, contact.address


def _translate_errors() -> AbstractAsyncContextManager[None]:
    return mongo.translate_errors(unavailable=LedgerUnavailableError, refused=LedgerRefusedError)


def _to_midnight(day: date) -> datetime:
    """Return a date as MongoDB can store it: BSON has instants only."""
    return datetime.combine(day, time.min, tzinfo=UTC)
