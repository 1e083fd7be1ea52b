"""Reads contacts from a table with the columns `agency,channel,address,role,language,from,to`, by their names.

An agency is an id, an alias or the name of a contact list. All faults are found in one run, each with its place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from schemas.events.deliveries import Channel
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from schemas.text import comparison
from services.console.contacts import contact_cells
from services.console.tables import reader
from services.console.tables.table import InputRow, InputTable
from services.notifier.contacts import coverage
from services.notifier.core.scheduling import routing
from services.notifier.core.scheduling.routing import Contact, Language

COLUMNS = ("agency", "channel", "address", "role", "language", "from", "to")
_REQUIRED = frozenset(COLUMNS[:3])

# The columns as their authors call them.
_NAMES = {
    "agency": ("agency", "cơ quan", "đơn vị", "mã cơ quan", "mã đơn vị"),
    "channel": ("channel", "kênh", "kênh liên hệ"),
    "address": ("address", "địa chỉ", "địa chỉ liên hệ"),
    "role": ("role", "vai trò", "chức vụ"),
    "language": ("language", "ngôn ngữ"),
    "from": ("from", "từ", "từ ngày"),
    "to": ("to", "đến", "đến ngày"),
}
_COLUMN_OF = {comparison.make_name_key(name): column for column, names in _NAMES.items() for name in names}

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedContact:
    """A contact with the place where its agency is named, for example `contacts.csv:2`."""

    contact: Contact
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFault:
    """Why a row cannot be used, and where."""

    place: str
    detail: Bilingual


def read_contacts(path: Path) -> tuple[list[LocatedContact], list[ContactFault]]:
    """Return the contacts of the file, and its faults; raise `RefusedTableError` where it is no table of contacts."""
    table = reader.read_table(path, _is_header, _NO_HEADER)
    columns = _find_columns(table.header)
    contacts: list[LocatedContact] = []
    faults: list[ContactFault] = []
    for row in table.rows:
        parser = _RowParser(table, row, columns)
        contact = parser.parse()
        faults += parser.faults
        if contact is not None:
            contacts.append(contact)
    return contacts, faults


def resolve_agencies(
    contacts: Iterable[LocatedContact], documents: Iterable[tuple[Plan, Registry]]
) -> Iterator[Contact | ContactFault]:
    """Yield the contacts under permanent agency ids, and a fault for each agency that no plan or registry knows."""
    listed = list(documents)
    known = frozenset[str]().union(*(coverage.list_recipients(plan, registry) for plan, registry in listed))
    for one in contacts:
        named = one.contact.agency
        ids = (registry.resolve(named) for _, registry in listed)
        agency = next((found for found in ids if found), named if named in known else None)
        yield _describe_unknown(one, known) if agency is None else replace(one.contact, agency=agency)


def _is_header(row: InputRow) -> bool:
    return set(_find_columns(row)) >= _REQUIRED


def _find_columns(header: InputRow) -> Mapping[str, int]:
    """Return the index of each column that the *header* names."""
    named = ((_COLUMN_OF.get(comparison.make_name_key(header.text(one))), one) for one in sorted(header.cells))
    return {name: place for name, place in reversed(list(named)) if name is not None}


class _RowParser:
    """Reads one row, and collects its faults."""

    def __init__(self, table: InputTable, row: InputRow, columns: Mapping[str, int]) -> None:
        self._table = table
        self._row = row
        self._columns = columns
        self.faults: list[ContactFault] = []

    def parse(self) -> LocatedContact | None:
        """Return the contact of the row; None where it has a fault."""
        for name in COLUMNS:
            damage = self._row.cell(self._columns.get(name, -1)).fault
            if damage is not None:
                self._add_fault(name, damage)
        agency = self._text("agency")
        if not agency:
            self._add_fault("agency", _NO_AGENCY)
        channel = self._read("channel", contact_cells.parse_channel)
        address = None if channel is None else self._read_address(channel)
        language: Language | None = self._read("language", contact_cells.parse_language)
        from_, to = self._read_day("from"), self._read_day("to")
        if from_ and to and to <= from_:
            self._add_fault("to", _describe_empty_span(from_, to))
        if self.faults or channel is None or address is None or language is None:
            return None
        contact = Contact(
            agency=agency,
            channel=channel,
            address=address,
            role=routing.classify_role(self._text("role")),
            language=language,
            from_=from_,
            to=to,
        )
        return LocatedContact(contact=contact, place=self._place("agency"))

    def _text(self, name: str) -> str:
        return contact_cells.format_text(self._row.cell(self._columns.get(name, -1)).value)

    def _read(self, name: str, parse: Callable[[str], Parsed | Bilingual]) -> Parsed | None:
        return self._unless_fault(name, parse(self._text(name)))

    def _read_address(self, channel: Channel) -> str | None:
        return self._unless_fault("address", contact_cells.parse_address(channel, self._text("address")))

    def _read_day(self, name: str) -> date | None:
        cell = self._row.cell(self._columns.get(name, -1))
        return self._unless_fault(name, contact_cells.parse_day(cell, is_1904=self._table.is_1904))

    def _unless_fault(self, name: str, value: Parsed | Bilingual) -> Parsed | None:
        if isinstance(value, Bilingual):
            self._add_fault(name, value)
            return None
        return value

    def _add_fault(self, name: str, detail: Bilingual) -> None:
        self.faults.append(ContactFault(place=self._place(name), detail=detail))

    def _place(self, name: str) -> str:
        return self._table.place(self._row.number, self._columns.get(name, 0))


def _describe_unknown(one: LocatedContact, known: Iterable[str]) -> ContactFault:
    agency = one.contact.agency
    nearest = comparison.find_nearest(agency, known)
    detail = Bilingual.of(
        en=f"agency {agency!r} is neither in the registry nor a list of the plan"
        + (f"; did you mean {nearest}?" if nearest else ""),
        vi=f"cơ quan “{agency}” không có trong danh mục, cũng không phải danh sách của kế hoạch"
        + (f"; có phải {nearest}?" if nearest else ""),
    )
    return ContactFault(place=one.place, detail=detail)


def _describe_empty_span(from_: date, to: date) -> Bilingual:
    return Bilingual.of(
        en=f"to {to} is not after from {from_}; the contact holds from the first day up to, not on, the last",
        vi=f"ngày kết thúc {to:%d/%m/%Y} không sau ngày bắt đầu {from_:%d/%m/%Y}; "
        "liên hệ có hiệu lực từ ngày đầu đến trước ngày cuối",
    )


_NO_AGENCY = Bilingual.of(en="agency is empty", vi="chưa ghi cơ quan")
_NO_HEADER = Bilingual.of(
    en=f"no row names the columns agency, channel, address; the first line is {','.join(COLUMNS)}",
    vi=f"không có dòng tiêu đề với các cột agency, channel, address; dòng đầu là {','.join(COLUMNS)}",
)
