"""From answers to the data of a submitted event. Every answer that cannot be meant is told at its place.

Whether the report is complete is not decided here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import TypeVar

from services.intake.core.forms import date_parsing, number_parsing
from services.intake.core.forms.form_fields import PROOFS, event_pointer
from services.intake.core.problems import FieldError, Said

FieldValue = str | int | float | date | None
"""An answer as it came: text from a form, a typed value from a spreadsheet's cell."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that no document can hold: they come from careless pasting and mean nothing."""

Parsed = TypeVar("Parsed")

YES_WORDS = frozenset({"x", "có", "co", "yes", "true", "1", "on"})
NO_WORDS = frozenset({"", "không", "khong", "no", "false", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The duty a report is for."""

    plan: str
    obligation: str
    period: str | None
    agency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A file that comes along. `url` says where it is kept, if anywhere."""

    name: str
    media_type: str
    size: int
    sha256: str
    url: str | None = None


class _AnswerReader:
    """Reads answers and gathers what is wrong with them."""

    def __init__(self, given: Mapping[str, FieldValue], zone: tzinfo) -> None:
        self._given = given
        self._zone = zone
        self.faults: list[FieldError] = []

    def text(self, key: str) -> str:
        match self._given.get(key):
            case None:
                return ""
            case date() as day:
                return day.isoformat()
            case float() as number if number.is_integer():
                return str(int(number))
            case other:
                return _CONTROL.sub("", str(other)).strip()

    def needed(self, key: str) -> str:
        text = self.text(key)
        if not text:
            self._fault(key, _NEEDED)
        return text

    def day(self, key: str, *, is_needed: bool = False) -> str | None:
        match self._given.get(key):
            case datetime() as moment:
                return moment.date().isoformat()
            case date() as day:
                return day.isoformat()
        text = self.needed(key) if is_needed else self.text(key)
        found = self._found(key, date_parsing.parse_day(text)) if text else None
        return None if found is None else found.isoformat()

    def moment(self, key: str) -> str | None:
        match self._given.get(key):
            case datetime() as moment:
                return moment.replace(tzinfo=self._zone).isoformat()
        text = self.text(key)
        found = self._found(key, date_parsing.parse_instant(text, self._zone)) if text else None
        return None if found is None else found.isoformat()

    def yes(self, key: str) -> bool:
        text = self.text(key).lower()
        if text not in YES_WORDS | NO_WORDS:
            self._fault(key, _YES_OR_NO)
        return text in YES_WORDS

    def figure(self, key: str, *, is_percent: bool) -> int | str | None:
        match self._given.get(key):
            case int() | float() as number:
                return number_parsing.to_json_number(Decimal(str(number)))
        text = self.text(key)
        found = self._found(key, number_parsing.parse_number(text, is_percent=is_percent)) if text else None
        return None if found is None else number_parsing.to_json_number(found)

    def proof(self, key: str) -> str:
        text = self.text(key).lower()
        for code, said in PROOFS.items():
            if text in {code, said.vi, said.en} or (not text and code == "none"):
                return code
        self._fault(key, _PROOF)
        return "none"

    def _found(self, key: str, value: Parsed | Said) -> Parsed | None:
        if isinstance(value, Said):
            self._fault(key, value)
            return None
        return value

    def _fault(self, key: str, said: Said) -> None:
        self.faults.append(FieldError(pointer=event_pointer(key), detail=said))


def build_report(
    named: Named,
    given: Mapping[str, FieldValue],
    *,
    enclosed: Sequence[AttachedFile],
    zone: tzinfo,
    percents: frozenset[str] = frozenset(),
) -> dict[str, object] | tuple[FieldError, ...]:
    """Return the data of the submitted event, or what is wrong with the answers. *percents* may carry a sign."""
    reader = _AnswerReader(given, zone)
    data: dict[str, object] = {
        "plan": named.plan,
        "obligation": named.obligation,
        "period": named.period,
        "agency": named.agency,
        **_read_document(reader),
        "content": _read_content(reader, given, percents),
        "attachments": [
            {"name": one.name, "media_type": one.media_type, "size": one.size, "sha256": one.sha256, "url": one.url}
            for one in enclosed
        ],
    }
    if named.period is None:
        del data["period"]
    return tuple(reader.faults) if reader.faults else data


def _read_document(reader: _AnswerReader) -> dict[str, object]:
    """Read the covering document, and how it was sent."""
    return {
        "document": {
            "number": reader.needed("document.number"),
            "issued_on": reader.day("document.issued_on", is_required=True),
            "signed_by": reader.text("document.signed_by") or None,
            "title": reader.text("document.title"),
        },
        "dispatch": {
            "sent_at": reader.moment("dispatch.sent_at"),
            "proof": reader.proof("dispatch.proof"),
            "reference": reader.text("dispatch.reference") or None,
        },
    }


def _read_content(reader: _AnswerReader, given: Mapping[str, FieldValue], percents: frozenset[str]) -> dict[str, object]:
    return {
        "nil_return": reader.yes("content.nil_return"),
        "figures_as_of": reader.day("content.figures_as_of"),
        "sections": {name: text for name, key in _keys_below("sections", given) if (text := reader.text(key))},
        "indicators": {
            code: number
            for code, key in _keys_below("indicators", given)
            if (number := reader.figure(key, is_percent=key in percents)) is not None
        },
    }


def _keys_below(head: str, given: Mapping[str, FieldValue]) -> Iterator[tuple[str, str]]:
    for key in given:
        first, _, name = key.partition(".")
        if first == head and name:
            yield name, key


_NEEDED = Said(en="is needed", vi="cần được điền")
_YES_OR_NO = Said(en="write x for yes, or leave it empty", vi="hãy ghi “x” nếu đúng, hoặc để trống")
_PROOF = Said(
    en="write one of: " + ", ".join(one.en for one in PROOFS.values()),
    vi="hãy chọn một trong: " + ", ".join(one.vi for one in PROOFS.values()),
)
