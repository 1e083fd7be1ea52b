"""The labels: every status has one in both languages, and missing parts and alerts are described in words."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from schemas.events.assessments import Status
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.plan.plan import Obligation
from services.reporting.core import duty_lines, labels, timeline, urging
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.urging import Urging
from services.rules.core.assess import FLAGS
from tests.support.builders.annual_report import (
    AS_OF,
    DUE,
    a_key,
    a_line_context,
    a_plan,
    a_revision,
    a_timeline,
    an_attempt,
)

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
PLAN = a_plan()
OBLIGATION = PLAN.obligations[0]


def a_line(ends: Status = Status.OVERDUE, summary: Urging | None = None, **fields: object) -> DutyLine:
    """Build the line of a duty whose last span has the status *ends*, with this summary of its alerts."""
    state = timeline.state_at(a_revision(spans=a_timeline(ends, **fields)), AS_OF)
    (line,) = duty_lines.build_lines([state], {}, a_line_context())
    return structs.replace(line, urging=summary or Urging())


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_words_in_both_languages(status: Status) -> None:
    """A reader sees the label of a status and never its identifier."""
    assert labels.status_label(status) != labels.status_label(status, "en")
    assert "_" not in labels.status_label(status) + labels.status_label(status, "en")


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_has_words_in_both_languages(flag: str) -> None:
    """A reader sees the label of a flag and never its identifier."""
    assert labels.flag_label(flag) != labels.flag_label(flag, "en")
    assert "_" not in labels.flag_label(flag) + labels.flag_label(flag, "en")


def test_a_missing_part_is_named_as_the_plan_names_it() -> None:
    """A part is named by its title in the plan, without one by its id, and an unknown part by its own name."""
    names = [
        labels.missing_part_label(name, OBLIGATION, PLAN)
        for name in (
            "indicators.entrusted_local_budget",
            "sections.results",
            "sections.proposals",
            "attachments",
            "signed",
            "returned",
            "seal",
        )
    ]
    assert names == [
        "chỉ tiêu “Vốn ngân sách địa phương ủy thác”",
        "mục “Kết quả thực hiện”",
        "mục “Kiến nghị, đề xuất”",
        "tệp kèm theo",
        "chữ ký",
        "bản thay thế theo đề nghị hoàn thiện",
        "seal",
    ]
    assert labels.missing_part_label("checks.ratio", OBLIGATION, PLAN, language="en") == "check ratio"
    line = a_line(Status.INCOMPLETE, missing=("attachments", "signed"))
    assert labels.describe_missing(line, OBLIGATION, PLAN) == "tệp kèm theo; chữ ký"


def test_a_figure_that_the_plan_declares_and_a_part_of_a_compilation_have_their_names() -> None:
    """A figure out of its bounds may be one that is only accepted; a part is the report of an agency."""
    version = {"from": "2016-01-01", "recurrence": "year", "accepts": {"indicators": ["overdue"]}}
    plan = a_plan(
        indicators=[{"code": "overdue", "title": {"vi": "Nợ quá hạn", "en": "Overdue debt"}}],
        obligations=[OBLIGATION.model_dump(by_alias=True) | {"versions": [version]}],
    )
    obligation = plan.obligations[0]
    assert labels.missing_part_label("indicators.overdue", obligation, plan) == "chỉ tiêu “Nợ quá hạn”"
    names = {"x-001": "UBND xã Một"}
    assert labels.missing_part_label("parts.x-001", obligation, plan, agency_names=names) == "báo cáo của UBND xã Một"


def test_the_latest_title_counts() -> None:
    """A part has the latest title that a version of the obligation gives it; a version without one changes nothing."""
    versions = [
        {"from": f"{year}-01-01", "to": f"{year + 1}-01-01", "recurrence": "year", "requires": {"sections": sections}}
        for year, sections in (
            (2016, [{"id": "a", "title": {"vi": "Cũ", "en": "Old"}}, {"id": "b", "title": {"vi": "Còn"}}]),
            (2017, [{"id": "a", "title": {"vi": "Mới", "en": "New"}}, "b"]),
        )
    ]
    obligation = Obligation.model_validate(OBLIGATION.model_dump(by_alias=True) | {"versions": versions})
    assert labels.missing_part_label("sections.a", obligation, PLAN) == "mục “Mới”"
    assert labels.missing_part_label("sections.a", obligation, PLAN, language="en") == "section “New”"
    assert labels.missing_part_label("sections.b", obligation, PLAN) == "mục “Còn”"


def test_a_successor_is_named_and_not_numbered() -> None:
    """A note names the agency that succeeded to a duty, because a reader does not know its id."""
    line = a_line(Status.SUPERSEDED, flags=("inherited_by_h-19", "duplicate"))
    assert labels.describe_notes(line) == ["UBND huyện Thanh Hóa kế thừa", "gửi trùng"]
    assert labels.describe_notes(line, "en") == ["inherited by UBND huyện Thanh Hóa", "duplicate"]


def test_urging_is_described_by_how_often_by_which_channels_and_when_last() -> None:
    """The description is empty where no alert was called for, and says so where nobody could be reached."""
    attempts = [an_attempt(), an_attempt(channel=Channel.SMS), an_attempt(at=DUE + timedelta(hours=2))]
    summary = urging.summarize_attempts(attempts, None)
    assert labels.describe_urging(summary, VIETNAM) == "2 lần (email\u00a02, SMS\u00a01), cuối 10/12/2026"
    assert (
        labels.describe_urging(summary, VIETNAM, "en")
        == "2 times (e-mail\u00a02, SMS\u00a01), last on 10 December 2026"
    )
    assert labels.describe_urging(Urging(), VIETNAM) == ""
    unreached = urging.summarize_attempts([an_attempt(outcome=AttemptOutcome.UNREACHABLE)], None)
    assert labels.describe_urging(unreached, VIETNAM) == "không liên hệ được"


def test_the_effect_counts_from_the_last_alert_before_the_report() -> None:
    """The days until the report are counted from the last of several alerts."""
    received_at = DUE + timedelta(days=3)
    summary = urging.summarize_attempts([an_attempt(), an_attempt(at=DUE + timedelta(days=1))], received_at)
    assert (
        labels.describe_effect(a_line(Status.LATE, summary, effective_at=received_at), VIETNAM) == "đã gửi sau 2 ngày"
    )
    same_day = urging.summarize_attempts([an_attempt(at=DUE)], DUE + timedelta(hours=5))
    assert (
        labels.describe_effect(a_line(Status.LATE, same_day, effective_at=received_at), VIETNAM) == "đã gửi trong ngày"
    )


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
    """Where no report followed an alert, the status is the effect, in words without reproach."""
    assert labels.describe_effect(a_line(ends), VIETNAM) == words
    assert a_key() == a_line(ends).key
