"""Turns the answers of a form or a report sheet into the data of a submitted event, or into errors by field.

Whether the report is complete is not decided here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import TypeVar

from schemas.events.ids import DutyKey
from schemas.plan import figures
from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from schemas.text import legacy_encodings, normal_form
from services.intake.core.forms import date_parsing, number_parsing
from services.intake.core.forms.form_fields import PROOFS, event_pointer

# An answer as it was given: text from a form, or a typed value from a spreadsheet's cell.
FieldValue = str | int | Decimal | date | time | None

Parsed = TypeVar("Parsed")

YES_WORDS = frozenset({"x", "có", "co", "yes", "true", "1", "on"})
NO_WORDS = frozenset({"", "không", "khong", "no", "false", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A file attached to a report. `url` says where it is kept, if anywhere."""

    name: str
    media_type: str
    size: int
    sha256: str
    url: str | None = None


class _AnswerReader:
    """Reads answers by field and collects the errors in them."""

    def __init__(self, answers: Mapping[str, FieldValue], zone: tzinfo) -> None:
        self._answers = answers
        self._zone = zone
        self.errors: list[FieldError] = []

    def read_text(self, key: str) -> str:
        match self._answers.get(key):
            case None:
                return ""
            case str() as text:
                # Pasting brings texts in older encodings, and characters that mean nothing.
                return normal_form.repair_text(legacy_encodings.convert(text)).strip()
            case date():
                # A spreadsheet program takes a number such as 12/5 for a day, and what was written is gone.
                self._add_error(key, _IS_A_DAY)
                return ""
            case Decimal() as number:
                return figures.write_plainly(number)
            case other:
                return str(other)

    def read_required_text(self, key: str) -> str:
        text = self.read_text(key)
        if not text:
            self._add_error(key, _REQUIRED)
        return text

    def read_day(self, key: str, *, is_required: bool = False) -> str | None:
        match self._answers.get(key):
            case datetime() as instant:
                return instant.date().isoformat()
            case date() as day:
                return day.isoformat()
            case int() | Decimal():
                self._add_error(key, _IS_A_NUMBER)
                return None
        text = self.read_required_text(key) if is_required else self.read_text(key)
        found = self._unless_error(key, date_parsing.parse_day(text)) if text else None
        return None if found is None else found.isoformat()

    def read_instant(self, key: str) -> str | None:
        match self._answers.get(key):
            case datetime() as instant:
                return instant.replace(tzinfo=self._zone).isoformat()
        text = self.read_text(key)
        found = self._unless_error(key, date_parsing.parse_instant(text, self._zone)) if text else None
        return None if found is None else found.isoformat()

    def read_yes_no(self, key: str) -> bool:
        text = self.read_text(key).lower()
        if text not in YES_WORDS | NO_WORDS:
            self._add_error(key, _YES_OR_NO)
        return text in YES_WORDS

    def read_figure(self, key: str, *, is_percent: bool) -> int | str | None:
        match self._answers.get(key):
            case int() | Decimal() as number:
                # A spreadsheet stores a number and not its digits: zeros at the end come of reading or scaling it.
                return number_parsing.to_json_number(Decimal(figures.write_plainly(Decimal(number))))
        text = self.read_text(key)
        found = self._unless_error(key, number_parsing.parse_number(text, is_percent=is_percent)) if text else None
        return None if found is None else number_parsing.to_json_number(found)

    def read_proof(self, key: str) -> str:
        text = self.read_text(key).lower()
        for code, label in PROOFS.items():
            if text in {code, label.vi, label.en} or (not text and code == "none"):
                return code
        self._add_error(key, _PROOF)
        return "none"

    def _unless_error(self, key: str, value: Parsed | Bilingual) -> Parsed | None:
        """Return *value*; if it is the sentence about an error instead, note the error and return None."""
        if isinstance(value, Bilingual):
            self._add_error(key, value)
            return None
        return value

    def _add_error(self, key: str, detail: Bilingual) -> None:
        self.errors.append(FieldError(pointer=event_pointer(key), detail=detail))


def build_report(
    duty: DutyKey,
    answers: Mapping[str, FieldValue],
    *,
    files: Sequence[AttachedFile],
    zone: tzinfo,
    percents: frozenset[str] = frozenset(),
) -> dict[str, object] | tuple[FieldError, ...]:
    """Return the data of the submitted event for *duty*, or the errors in the *answers*, which stand by field key.

    Times without an offset are in *zone*. The fields in *percents* may be answered with a percent sign.
    """
    reader = _AnswerReader(answers, zone)
    data: dict[str, object] = {
        "plan": duty.plan,
        "obligation": duty.obligation,
        "period": duty.period,
        "agency": duty.agency,
        **_read_document(reader),
        "content": _read_content(reader, answers, percents),
        "attachments": [
            {"name": one.name, "media_type": one.media_type, "size": one.size, "sha256": one.sha256, "url": one.url}
            for one in files
        ],
    }
    if duty.period is None:
        del data["period"]
    return tuple(reader.errors) if reader.errors else data


def _read_document(reader: _AnswerReader) -> dict[str, object]:
    """Read the covering document and its dispatch."""
    return {
        "document": {
            "number": reader.read_required_text("document.number"),
            "issued_on": reader.read_day("document.issued_on", is_required=True),
            "signed_by": reader.read_text("document.signed_by") or None,
            "title": reader.read_text("document.title"),
        },
        "dispatch": {
            "sent_at": reader.read_instant("dispatch.sent_at"),
            "proof": reader.read_proof("dispatch.proof"),
            "reference": reader.read_text("dispatch.reference") or None,
        },
    }


def _read_content(
    reader: _AnswerReader, answers: Mapping[str, FieldValue], percents: frozenset[str]
) -> dict[str, object]:
    parts = [agency for agency, key in _keys_below("parts", answers) if reader.read_yes_no(key)]
    return {
        "nil_return": reader.read_yes_no("content.nil_return"),
        "figures_as_of": reader.read_day("content.figures_as_of"),
        "sections": {name: text for name, key in _keys_below("sections", answers) if (text := reader.read_text(key))},
        "indicators": {
            code: number
            for code, key in _keys_below("indicators", answers)
            if (number := reader.read_figure(key, is_percent=key in percents)) is not None
        },
        # Only where there are any: the same answers to a form without parts give the bytes that they always gave.
        **({"parts": parts} if parts else {}),
    }


def _keys_below(head: str, answers: Mapping[str, FieldValue]) -> Iterator[tuple[str, str]]:
    """Yield name and key of each answer below *head*: `results` and `sections.results` below `sections`."""
    for key in answers:
        first, _, name = key.partition(".")
        if first == head and name:
            yield name, key


_REQUIRED = Bilingual.of(en="is needed", vi="cần được điền")
_IS_A_DAY = Bilingual.of(
    en="the spreadsheet program has made a day of this; set the format of the cell to text and write it again",
    vi="phần mềm bảng tính đã đổi nội dung này thành ngày; hãy đặt định dạng ô là văn bản rồi ghi lại",
)
_IS_A_NUMBER = Bilingual.of(
    en="this is a number and no day; write day/month/year such as 09/12/2026",
    vi="đây là số, không phải ngày; hãy ghi ngày/tháng/năm, ví dụ 09/12/2026",
)
_YES_OR_NO = Bilingual.of(en="write x for yes, or leave it empty", vi="hãy ghi “x” nếu đúng, hoặc để trống")
_PROOF = Bilingual.of(
    en="write one of: " + ", ".join(one.in_language("en") for one in PROOFS.values()),
    vi="hãy chọn một trong: " + ", ".join(one.vi for one in PROOFS.values()),
)
