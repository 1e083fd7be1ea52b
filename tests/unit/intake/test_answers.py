"""From answers to the data of an event."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.events.facts import ReportSubmitted
from schemas.plan.plan import Requirements
from services.intake.core.forms import form_fields, form_to_event
from services.intake.core.forms.form_to_event import AttachedFile, FieldValue, Named

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NAMED = Named(plan="P-1", obligation="results", period="2026", agency="h-mot")
ANSWERS: dict[str, FieldValue] = {
    "document.number": "12/BC-UBND",
    "document.issued_on": "30/11/2026",
    "document.signed_by": "",
    "content.nil_return": "",
    "sections.results": "Đã làm",
    "indicators.entrusted": "1.234,5",
}


def stated(**changes: Any) -> Any:
    """What the answers state; *changes* by their key, with `__` for the dot."""
    given = ANSWERS | {name.replace("__", "."): value for name, value in changes.items()}
    return form_to_event.build_report(NAMED, given, enclosed=(), zone=ZONE)


def test_answers_become_the_data_of_a_submitted_event() -> None:
    """The published model accepts them, each at its place."""
    fact = ReportSubmitted.model_validate(stated())
    assert fact.document.issued_on == date(2026, 11, 30)
    assert fact.document.signed_by is None
    assert fact.content.indicators == {"entrusted": "1234.5"}
    assert fact.content.sections == {"results": "Đã làm"}
    assert fact.dispatch.proof == "none"


def test_what_no_document_can_hold_is_left_out() -> None:
    """Control characters of a careless paste vanish; line breaks and tabs stay."""
    data = stated(document__number="12\x00/BC", sections__results="a\tb\nc\x1b\ud800")
    assert data["document"]["number"] == "12/BC"
    assert data["content"]["sections"] == {"results": "a\tb\nc"}


def test_a_duty_without_periods_names_none() -> None:
    """A one-off duty's event has no period at all."""
    once = Named(plan="P-1", obligation="programme", period=None, agency="h-mot")
    data = form_to_event.build_report(once, ANSWERS, enclosed=(), zone=ZONE)
    assert "period" not in data


def test_a_spreadsheet_s_own_values_are_taken_as_they_are() -> None:
    """Dates, times, numbers and whole numbers in decimal cells keep their meaning."""
    data = stated(
        document__number=12.0,
        document__issued_on=datetime(2026, 11, 30),  # noqa: DTZ001 - a cell has no zone
        dispatch__sent_at=datetime(2026, 12, 1, 8, 30),  # noqa: DTZ001 - as above
        dispatch__proof="dấu bưu điện",
        indicators__entrusted=1234.5,
        indicators__households=7.0,
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
def test_what_cannot_be_meant_is_told_at_its_place(key: str, answer: str) -> None:
    """Each fault points to the place of its answer in the event."""
    (fault,) = stated(**{key.replace(".", "__"): answer})
    assert fault.pointer == form_fields.event_pointer(key)
    assert form_fields.key_at(fault.pointer) == key


def test_files_come_along_by_digest() -> None:
    """A file's name, type, size, digest and place stand in the event."""
    file = AttachedFile(name="a.pdf", media_type="application/pdf", size=3, sha256="0" * 64)
    data = form_to_event.build_report(NAMED, ANSWERS, enclosed=[file], zone=ZONE)
    assert isinstance(data, dict)
    assert ReportSubmitted.model_validate(data).attachments[0].name == "a.pdf"


def test_every_question_of_a_plan_has_a_place_of_its_own() -> None:
    """The key of a question and its place in the event lead to each other, odd codes included."""
    requires = Requirements.model_validate(
        {"sections": ["results", "next.year-1"], "indicators": [{"code": "a.b_c-d"}], "attachments": {"min": 2}}
    )
    asked = form_fields.fields_of(requires)
    assert [form_fields.key_at(form_fields.event_pointer(one.key)) for one in asked] == [one.key for one in asked]
    assert len({one.key for one in asked}) == len(asked)


def test_what_rules_calls_missing_leads_to_its_question() -> None:
    """Sections and figures go by their own names, the signature to who signed, a check to no single question."""
    names = ("sections.results", "indicators.a.b", "attachments", "signed", "checks.ratio")
    keys = ["sections.results", "indicators.a.b", "attachments", "document.signed_by", ""]
    assert [form_fields.key_of_missing(one) for one in names] == keys


def test_a_section_or_figure_is_asked_for_by_its_title() -> None:
    """In both languages, in Vietnamese where there is no English; by its id or code where there is no title."""
    titles = ({"vi": "Kết quả", "en": "Results"}, {"vi": "Khó khăn"}, None)
    sections = [{"id": one, "title": title} for one, title in zip("abc", titles, strict=True)]
    indicators = [{"code": one, "title": title} for one, title in zip("xyz", titles, strict=True)]
    requires = Requirements.model_validate({"sections": [*sections, "next_year"], "indicators": indicators})
    asked = {one.key: (one.label.vi, one.label.en) for one in form_fields.fields_of(requires)}
    named = [("Kết quả", "Results"), ("Khó khăn", "Khó khăn")]
    assert [asked[f"sections.{one}"] for one in "abc"] == [*named, ("c", "c")]
    assert [asked[f"indicators.{one}"] for one in "xyz"] == [*named, ("z", "z")]
    assert asked["sections.next_year"] == ("next_year", "next_year")


def test_a_figure_is_asked_with_its_unit_and_range() -> None:
    """Both ends of the range are said in the reader's own writing; an unknown unit is told as it is."""
    indicators = [{"code": "a", "unit": "percent", "min": 0, "max": 99.5}, {"code": "b", "unit": "tấn"}, {"code": "c"}]
    asked = {one.key: one for one in form_fields.fields_of(Requirements.model_validate({"indicators": indicators}))}
    assert asked["indicators.a"].hint.vi == "từ 0 đến 99,5"
    assert asked["indicators.a"].hint.en == "from 0 to 99.5"
    assert [one.unit.vi if (one := asked[f"indicators.{code}"]).unit else None for code in "abc"] == ["%", "tấn", None]


def test_files_are_asked_for_by_number_and_kind() -> None:
    """A plan that asks for none says nothing; one that asks for two PDFs says so."""
    none, two = (
        form_fields.fields_of(Requirements.model_validate({"attachments": {"min": least, "media_types": kinds}}))[-1]
        for least, kinds in ((0, []), (2, ["application/pdf", "text/csv"]))
    )
    assert (none.hint, none.is_required) == (form_fields.NO_TEXT, False)
    assert (two.hint.vi, two.is_required) == ("ít nhất 2 tệp (PDF, text/csv)", True)
    assert two.hint.en == "at least 2 files (PDF, text/csv)"


def test_a_day_where_text_is_asked_stays_readable() -> None:
    """A number that the spreadsheet took for a day comes as ISO 8601 text, for a person to see."""
    assert stated(document__number=date(2026, 12, 9))["document"]["number"] == "2026-12-09"
    assert stated(content__figures_as_of=date(2026, 11, 30))["content"]["figures_as_of"] == "2026-11-30"
