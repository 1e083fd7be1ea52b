"""The words: every status has them, and what is missing or was said reads as a person would say it."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.events.assessments import Status
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.plan.plan import Obligation
from services.reporting.core import wording
from services.reporting.core.lines import DutyLine, lines_of
from services.reporting.core.lookup import state_at
from services.reporting.core.urging import Urging, urging_of
from tests.support.builders.annual_report import (
    AS_OF,
    DUE,
    a_key,
    a_plan,
    a_reader,
    a_timeline,
    an_assessed,
    an_attempt,
)

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
OBLIGATION = a_plan().obligations[0]


def a_line(ends: Status = Status.OVERDUE, urging: Urging | None = None, **how: object) -> DutyLine:
    """Build one line."""
    (line,) = lines_of([state_at(an_assessed(timeline=a_timeline(ends, **how)), AS_OF)], {}, a_reader())
    return replace(line, urging=urging or Urging())


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_words_in_both_languages(status: Status) -> None:
    """Nobody reads an identifier."""
    assert wording.status(status) != wording.status(status, "en")
    assert "_" not in wording.status(status) + wording.status(status, "en")


def test_a_missing_part_is_named_as_the_plan_names_it() -> None:
    """Figure and section by their titles, by id without one; the attachment, the signature; the unknown as it is."""
    words = [
        wording.missing_part(name, OBLIGATION)
        for name in (
            "indicators.entrusted_local_budget",
            "sections.results",
            "sections.proposals",
            "attachments",
            "signed",
            "seal",
        )
    ]
    assert words == [
        "chỉ tiêu “Vốn ngân sách địa phương ủy thác”",
        "mục “Kết quả thực hiện”",
        "mục proposals",
        "tệp kèm theo",
        "chữ ký",
        "seal",
    ]
    assert wording.missing_part("checks.ratio", OBLIGATION, "en") == "check ratio"
    line = a_line(Status.INCOMPLETE, missing=("attachments", "signed"))
    assert wording.missing(line, OBLIGATION) == "tệp kèm theo; chữ ký"


def test_the_latest_title_counts() -> None:
    """A version that says nothing more of a part leaves it the title that an earlier one gave it."""
    versions = [
        {"from": f"{year}-01-01", "to": f"{year + 1}-01-01", "recurrence": "year", "requires": {"sections": sections}}
        for year, sections in (
            (2016, [{"id": "a", "title": {"vi": "Cũ", "en": "Old"}}, {"id": "b", "title": {"vi": "Còn"}}]),
            (2017, [{"id": "a", "title": {"vi": "Mới", "en": "New"}}, "b"]),
        )
    ]
    obligation = Obligation.model_validate(OBLIGATION.model_dump(by_alias=True) | {"versions": versions})
    assert wording.missing_part("sections.a", obligation) == "mục “Mới”"
    assert wording.missing_part("sections.a", obligation, "en") == "section “New”"
    assert wording.missing_part("sections.b", obligation) == "mục “Còn”"


def test_an_heir_is_named_and_not_numbered() -> None:
    """A reader knows the agency, not its id."""
    line = a_line(Status.SUPERSEDED, flags=("inherited_by_h-19", "duplicate"))
    assert wording.notes(line) == ["UBND huyện Thanh Hóa kế thừa", "gửi trùng"]
    assert wording.notes(line, "en") == ["inherited by UBND huyện Thanh Hóa", "duplicate"]


def test_urging_says_how_often_by_what_and_when_last() -> None:
    """Nothing is said where nobody had to speak."""
    told = [an_attempt(), an_attempt(channel=Channel.SMS), an_attempt(at=DUE + timedelta(hours=2))]
    urging = urging_of(told, None)
    assert wording.urged(urging, VIETNAM) == "2 lần (email\u00a02, SMS\u00a01), cuối 10/12/2026"
    assert wording.urged(urging, VIETNAM, "en") == "2 times (e-mail\u00a02, SMS\u00a01), last on 10 December 2026"
    assert wording.urged(Urging(), VIETNAM) == ""
    unreached = urging_of([an_attempt(outcome=AttemptOutcome.UNREACHABLE)], None)
    assert wording.urged(unreached, VIETNAM) == "không liên hệ được"


def test_the_effect_counts_from_the_last_word_before_the_report() -> None:
    """Whoever answered the last of several urgings is said to have answered that."""
    came = DUE + timedelta(days=3)
    urging = urging_of([an_attempt(), an_attempt(at=DUE + timedelta(days=1))], came)
    assert wording.effect(a_line(Status.LATE, urging, effective_at=came), VIETNAM) == "đã gửi sau 2 ngày"
    same_day = urging_of([an_attempt(at=DUE)], DUE + timedelta(hours=5))
    assert wording.effect(a_line(Status.LATE, same_day, effective_at=came), VIETNAM) == "đã gửi trong ngày"


@pytest.mark.parametrize(
    "ends, words",
    [
        (Status.ON_TIME, "đã gửi trước khi nhắc"),
        (Status.INCOMPLETE, "đã gửi, chưa đầy đủ"),
        (Status.OVERDUE, "chưa gửi"),
        (Status.EXEMPT, "được miễn"),
    ],
)
def test_where_nobody_answered_the_state_is_the_effect(ends: Status, words: str) -> None:
    """What stands is said without a reproach."""
    assert wording.effect(a_line(ends), VIETNAM) == words
    assert a_key() == a_line(ends).key
