"""An officer's answer: what the fields of a form become, what is said beside a wrong one, and which event it is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.events.facts import ReportAccepted, ReportReturned
from schemas.events.ids import DutyKey
from services.reporting.core.reviews import answers
from services.reporting.core.reviews.answers import AnsweredDuty, InvalidAnswerError
from tests.support.builders.annual_report import a_plan

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 12, 11, 20, tzinfo=UTC)  # the twelfth in Vietnam
KEY = DutyKey(plan="P-1", agency="h-mot", obligation="results", period="2026")
DUTY = AnsweredDuty(key=KEY, submissions=["s-1", "s-2"], recipient="nhcsxh-tinh", zone=ZONE)
OPENED = (NOW - timedelta(minutes=5)).isoformat()
RETURN = {"submission": "s-1", "reason": "Số liệu chưa khớp.", "respond_by": "2026-12-20", "opened_at": OPENED}


def an_event(**changes: str) -> dict[str, Any]:
    """Build the event of the form to return, with some fields changed."""
    answer = answers.parse_return(RETURN | changes, DUTY, NOW)
    event: dict[str, Any] = json.loads(answers.build_event(answer, DUTY))
    return event


def find_errors(**changes: str) -> set[str]:
    """Return the fields of the form to return that are wrong, each of which has a sentence in both languages."""
    with pytest.raises(InvalidAnswerError) as raised:
        answers.parse_return(RETURN | changes, DUTY, NOW)
    assert all(error.vi and error.en and error.vi != error.en for error in raised.value.errors.values())
    return set(raised.value.errors)


def test_a_form_becomes_the_event_that_intake_takes() -> None:
    """The day asked for counts whole, the recipient answers and no person is named, and the model takes the data."""
    event = an_event(reason="  Dòng một\r\nDo\u0300ng hai ")
    assert (event["source"], event["subject"]) == ("urn:dondoc:reporting", "h-mot")
    data = ReportReturned.model_validate_json(json.dumps(event["data"]))
    assert data.respond_by == datetime(2026, 12, 20, 17, tzinfo=UTC)
    assert (data.reason, data.returned_by, data.submission) == ("Dòng một\nDòng hai", "nhcsxh-tinh", "s-1")
    assert an_event(respond_by="")["data"]["respond_by"] is None
    accepted = answers.parse_acceptance({"submission": "s-2", "opened_at": OPENED}, DUTY, NOW)
    data_of_acceptance = json.loads(answers.build_event(accepted, DUTY))["data"]
    assert ReportAccepted.model_validate(data_of_acceptance).note == ""


def test_a_duty_without_a_period_is_answered_without_one() -> None:
    """A one-off duty has no period, and its event names none."""
    once = AnsweredDuty(
        key=DutyKey(plan="P-1", agency="h-mot", obligation="results", period=None),
        submissions=["s-1"],
        recipient="r",
        zone=ZONE,
    )
    answer = answers.parse_return(RETURN, once, NOW)
    assert "period" not in json.loads(answers.build_event(answer, once))["data"]


def test_the_same_form_is_one_event_and_a_new_form_another() -> None:
    """Pressed twice, loaded again or retried it is byte for byte the same; other words or another page are others."""
    assert an_event() == an_event()
    ids = {an_event(**changes)["id"] for changes in ({}, {"reason": "Khác."}, {"opened_at": NOW.isoformat()})}
    assert len(ids) == 3


@pytest.mark.parametrize("day", ["20/12/2026", "20-12-2026", "20.12.2026", " 2026-12-20 "])
def test_a_day_may_be_typed_as_people_write_it(day: str) -> None:
    """A browser without a calendar sends what was typed."""
    assert an_event(respond_by=day)["id"] == an_event()["id"]


def test_today_is_still_a_term_and_yesterday_is_none() -> None:
    """Days are those of the plan's zone."""
    assert an_event(respond_by="2026-12-12")["data"]["respond_by"] == "2026-12-12T17:00:00+00:00"
    assert find_errors(respond_by="2026-12-11") == {"respond_by"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"reason": " \r\n "}, "reason"),
        ({"reason": "x" * 4_001}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"respond_by": "31/02/2026"}, "respond_by"),
        ({"respond_by": "9999-12-31"}, "respond_by"),
        ({"respond_by": "mai"}, "respond_by"),
        ({"submission": "s-3"}, "submission"),
        ({"submission": ""}, "submission"),
        ({"opened_at": ""}, "opened_at"),
        ({"opened_at": "2026-12-11T20:00:00"}, "opened_at"),
        ({"opened_at": (NOW - timedelta(days=2)).isoformat()}, "opened_at"),
        ({"opened_at": (NOW + timedelta(hours=1)).isoformat()}, "opened_at"),
    ],
)
def test_a_wrong_field_is_named_in_both_languages(changes: dict[str, str], wrong: str) -> None:
    """What cannot be meant is said beside its field, and nothing is posted."""
    assert find_errors(**changes) == {wrong}


def test_all_wrong_fields_are_named_at_once() -> None:
    """Nobody has to send a form three times to learn of three mistakes."""
    assert find_errors(reason="", respond_by="x", submission="") == {"reason", "respond_by", "submission"}


def test_a_grade_is_one_of_the_plan() -> None:
    """Where the plan has no grades, any short word is one."""
    fields = {"grade": "B", "sentence": "Tốt.", "opened_at": OPENED}
    assert answers.parse_grade(fields, ["A", "B"], 100, NOW).grade == "B"
    assert answers.parse_grade(fields | {"grade": "Khá"}, [], 100, NOW).grade == "Khá"
    for grade, grades in (("C", ["A"]), ("", []), ("x" * 101, [])):
        with pytest.raises(InvalidAnswerError):
            answers.parse_grade(fields | {"grade": grade}, grades, 100, NOW)


def test_who_answers_is_the_recipient_else_the_issuer() -> None:
    """`parent` is the agency above; a plan that names nobody is answered in the name of who issued it."""
    plan = a_plan(issuer="ubnd-tinh")
    (dated, _) = plan.obligations
    for recipient, parent, expected in (
        ("nhcsxh-tinh", "h-mot", "nhcsxh-tinh"),
        ("parent", "h-mot", "h-mot"),
        ("parent", None, "ubnd-tinh"),
        (None, "h-mot", "ubnd-tinh"),
    ):
        answered = dated.model_copy(update={"recipient": recipient})
        assert answers.find_recipient(plan, answered, parent) == expected
