"""The contacts as people write them: CSV with the columns `agency,channel,address,role,language,from,to`.

An agency is an id, an alias or the name of a contact list. Every error is reported with its line. The module also finds
the agencies that no contact reaches. It does not store anything.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import get_args

from schemas.events.deliveries import Channel
from schemas.plan.plan import PARENT, Plan
from schemas.plan.registry import Registry
from services.notifier.core.scheduling.routing import SELF, Contact, ContactBook, Language, resolve_recipient

COLUMNS = ("agency", "channel", "address", "role", "language", "from", "to")
REQUIRED = COLUMNS[:3]
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_PHONE = re.compile(r"\+84[1-9]\d{8}")  # since 2018 every mobile number has nine digits after the country code
_PUNCTUATION = str.maketrans("", "", " .-()")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """A line of the file that cannot be used, and why."""

    line: int
    message: str


def read_contacts(path: Path) -> tuple[list[Contact], list[RowError]]:
    """Return the contacts of the file, and its errors. The first line names the columns."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        absent = [name for name in REQUIRED if name not in (rows.fieldnames or ())]
        if absent:
            return [], [
                RowError(line=1, message=f"no column {', '.join(absent)}; the first line is {','.join(COLUMNS)}")
            ]
        read = [(rows.line_num, row) for row in rows if any(row.values())]
    contacts, errors = [], []
    for line, row in read:
        try:
            contacts.append(_parse_contact(row))
        except ValueError as cause:
            errors.append(RowError(line=line, message=str(cause)))
    return contacts, errors


def resolve_agencies(contacts: Iterable[Contact], registries: Iterable[Registry]) -> Iterator[Contact]:
    """Yield the contacts under permanent agency ids: an alias that a registry knows is replaced by its id."""
    known = list(registries)
    for one in contacts:
        ids = (registry.resolve(one.agency) for registry in known)
        yield replace(one, agency=next((found for found in ids if found), one.agency))


def find_unreached(book: ContactBook, plan: Plan, registry: Registry, day: date) -> list[str]:
    """Return the agencies and lists without a contact on *day*: those that *plan* addresses, and its escalations."""
    owing = [
        agency.id
        for agency in registry.agencies
        if agency.valid.contains(day) and _is_addressed(agency.id, plan, registry, day)
    ]
    escalations = {
        one.to
        for obligation in plan.obligations
        for version in obligation.versions
        for one in version.reminders.escalate
    }
    recipients = [
        resolve_recipient(to, agency, registry, on=day) for agency in owing for to in sorted({SELF, *escalations})
    ]
    return [one for one in dict.fromkeys(recipients) if one != PARENT and not book.find_reachable(one, day)]


def _is_addressed(agency_id: str, plan: Plan, registry: Registry, day: date) -> bool:
    agency = registry.agency(agency_id)
    groups = {one.id for one in agency.groups if one.contains(day)} if agency else set()
    return any({agency_id, *groups} & set(obligation.bearers) for obligation in plan.obligations)


def _parse_contact(row: Mapping[str, str | None]) -> Contact:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not given["agency"]:
        raise ValueError("agency is empty")
    channel = _parse_channel(given["channel"])
    from_, to = _parse_date("from", given["from"]), _parse_date("to", given["to"])
    if from_ and to and to <= from_:
        raise ValueError(
            f"to {to} is not after from {from_}; the contact holds from the first day up to, not on, the last"
        )
    return Contact(
        agency=given["agency"],
        channel=channel,
        address=_parse_address(channel, given["address"]),
        role=given["role"],
        language=_parse_language(given["language"]),
        from_=from_,
        to=to,
    )


def _parse_channel(text: str) -> Channel:
    try:
        return Channel(text.lower())
    except ValueError as cause:
        raise ValueError(f"channel {text!r} is none; write email or sms") from cause


def _parse_address(channel: Channel, text: str) -> str:
    if channel is Channel.EMAIL:
        if not _EMAIL.fullmatch(text):
            raise ValueError(f"address {text!r} is no e-mail address")
        return text
    number = text.translate(_PUNCTUATION)
    number = f"+84{number[1:]}" if number.startswith("0") else number
    number = f"+{number}" if number.startswith("84") else number
    if not _PHONE.fullmatch(number):
        raise ValueError(f"address {text!r} is no Vietnamese number; write +84 or 0 and nine digits")
    return number


def _parse_language(text: str) -> Language:
    for language in get_args(Language):
        if text.lower() in {language, ""}:
            return language  # type: ignore[no-any-return] # get_args tells no type
    raise ValueError(f"language {text!r} is none of ours; write vi or en")


def _parse_date(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as cause:
        raise ValueError(f"{name} {text!r} is no date; write 2026-12-09 or leave it empty") from cause
