"""Turning the answers of a form into the data of a submitted event."""

import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.events.facts import ReportSubmitted
from schemas.events.ids import DutyKey
from services.intake.core.forms import form_fields, form_to_event
from services.intake.core.forms.form_to_event import AttachedFile, FieldValue

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DUTY = DutyKey(plan="P-1", obligation="results", period="2026", agency="h-mot")
ANSWERS: dict[str, FieldValue] = {
    "document.number": "12/BC-UBND",
    "document.issued_on": "30/11/2026",
    "document.signed_by": "",
    "content.nil_return": "",
    "sections.results": "Đã làm",
    "indicators.entrusted": "1.234,5",
}


def build_report(**changes: Any) -> Any:
    """Return what the answers give, with *changes* by field key (`__` for the dot)."""
    answers = ANSWERS | {name.replace("__", "."): value for name, value in changes.items()}
    return form_to_event.build_report(DUTY, answers, files=(), zone=ZONE)


def test_answers_are_brought_into_unicode_nfc() -> None:
    """The same answers in decomposed letters give the same data, and their words are understood."""
    answers = {"document__signed_by": "Nguyễn Thị Hồng", "content__nil_return": "có", "dispatch__proof": "không có"}
    decomposed = {key: unicodedata.normalize("NFD", value) for key, value in answers.items()}
    assert decomposed != answers
    assert build_report(**decomposed) == build_report(**answers)


def test_answers_become_the_data_of_a_submitted_event() -> None:
    """The published model accepts the data, and each answer stands in its attribute."""
    fact = ReportSubmitted.model_validate(build_report())
    assert fact.document.issued_on == date(2026, 11, 30)
    assert fact.document.signed_by is None
    assert fact.content.indicators == {"entrusted": "1234.5"}
    assert fact.content.sections == {"results": "Đã làm"}
    assert fact.dispatch.proof == "none"


def test_control_characters_are_removed() -> None:
    """Control characters from pasted text are removed; line breaks and tabs are kept."""
    data = build_report(document__number="12\x00/BC", sections__results="a\tb\nc\x1b\ud800")
    assert data["document"]["number"] == "12/BC"
    assert data["content"]["sections"] == {"results": "a\tb\nc"}


def test_a_duty_without_periods_gives_an_event_without_period() -> None:
    """The event of a one-off duty has no attribute `period`."""
    once = DutyKey(plan="P-1", obligation="programme", period=None, agency="h-mot")
    data = form_to_event.build_report(once, ANSWERS, files=(), zone=ZONE)
    assert "period" not in data


def test_typed_values_of_a_spreadsheet_keep_their_meaning() -> None:
    """Dates, times, numbers, and whole numbers in decimal cells are used without parsing text."""
    data = build_report(
        document__number=Decimal(12),
        document__issued_on=datetime(2026, 11, 30),  # noqa: DTZ001 - a cell has no zone
        dispatch__sent_at=datetime(2026, 12, 1, 8, 30),  # noqa: DTZ001 - as above
        dispatch__proof="dấu bưu điện",
        indicators__entrusted=Decimal("1234.5"),
        indicators__households=Decimal("7.0"),
        content__nil_return="Không",
    )
    assert data["document"]["number"] == "12"
    assert data["document"]["issued_on"] == "2026-11-30"
    assert data["dispatch"] == {"sent_at": "2026-12-01T08:30:00+07:00", "proof": "postmark", "reference": None}
    assert data["content"]["indicators"] == {"entrusted": "1234.5", "households": 7}


@pytest.mark.parametrize(
    "key,answer",
    [
        ("document.number", " "),
        ("document.issued_on", "31/11/2026"),
        ("content.figures_as_of", "mai"),
        ("content.nil_return", "có lẽ"),
        ("dispatch.sent_at", "hôm qua"),
        ("dispatch.proof", "lời hứa"),
        ("indicators.entrusted", "1.234"),
    ],
)
def test_an_invalid_answer_is_an_error_of_its_field(key: str, answer: str) -> None:
    """The error points to the place of the answer in the event, which leads back to the field."""
    (error,) = build_report(**{key.replace(".", "__"): answer})
    assert error.pointer == form_fields.event_pointer(key)
    assert form_fields.key_at(error.pointer) == key


def test_files_are_attached_by_digest() -> None:
    """The event holds the name, type, size, digest and address of a file."""
    file = AttachedFile(name="a.pdf", media_type="application/pdf", size=3, sha256="0" * 64)
    data = form_to_event.build_report(DUTY, ANSWERS, files=[file], zone=ZONE)
    assert isinstance(data, dict)
    assert ReportSubmitted.model_validate(data).attachments[0].name == "a.pdf"


def test_a_day_in_a_text_field_and_a_number_in_a_day_field_are_refused() -> None:
    """A spreadsheet makes a day of a document's number 12/5, and what was written is gone; a number is no day."""
    for answers in ({"document__number": date(2026, 5, 12)}, {"document__issued_on": 12}):
        errors = build_report(**answers)
        assert {one.pointer for one in errors} == {form_fields.event_pointer(next(iter(answers)).replace("__", "."))}
    assert build_report(content__figures_as_of=date(2026, 11, 30))["content"]["figures_as_of"] == "2026-11-30"


def test_pasted_text_is_converted_and_repaired() -> None:
    """An older encoding, decomposed letters, letters that nobody sees, and Ð for Đ come out as they were meant."""
    data = build_report(document__signed_by="NguyÔn V¨n §øc", document__number="08/BC-L\u00d0TBXH\u200b")
    assert data["document"]["signed_by"] == "Nguyễn Văn Đức"
    assert data["document"]["number"] == "08/BC-LĐTBXH"
