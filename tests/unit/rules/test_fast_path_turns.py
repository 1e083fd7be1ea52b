"""At each instant at which a duty's outcome changes, the fast path gives the bytes of the full path, and around it.

The agencies are bound in every way that makes a difference, and several in the same way, because what they share is
what may go wrong: one comes to the outcome, or to the template, that another has left behind. So every agency is asked
about in both orders of time.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from schemas.events.event_origin import TraceContext
from services.rules import assessment_event, fact_decoder
from services.rules.assessment_event import LogPosition
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact
from services.rules.core.fast_path import SharedDuty
from tests.support.builders import plans
from tests.support.builders import strategies as some
from tests.support.builders.plans import Json

REMINDERS: Json = {
    "before": ["P30D", "P1D"],
    "after": ["PT0S"],
    "then_every": "P7D",
    "escalate": [{"after": "P3D", "to": "parent"}],
}
NOTICES = ["received", "returned", "extension", "exemption", "succession", "opening"]
USUAL = plans.a_version(reminders=REMINDERS)
VERSIONS = {
    "usual": USUAL,
    "with notices": USUAL | {"reminders": REMINDERS | {"notices": NOTICES}},
    "by receipt": USUAL | {"due": {"month": 12, "day": 10, "basis": "receipt"}},
    "without a date": USUAL | {"due": None, "recurrence": "none"},
}
ABOVE = {"parent": [{"id": "over-1", "to": "2024-12-12"}, {"id": "over-2", "from": "2024-12-12"}]}
LATER_ABOVE = {"parent": [{"id": "over-1", "to": "2025-06-01"}, {"id": "over-2", "from": "2025-06-01"}]}


def ends_on(day: str) -> Json:
    """Build what says of an agency that it ends on that day."""
    return ABOVE | {"valid": {"from": plans.SINCE, "to": day}}


def joins_on(day: str, **until: str) -> Json:
    """Build what says of an agency that it is in the group from that day."""
    return ABOVE | {"groups": [{"id": plans.GROUP, "from": day, **until}]}


AGENCIES: dict[str, Json] = {
    "a-1": ABOVE,
    "a-2": ABOVE,
    "a-3": ABOVE,
    "ends-before": ends_on("2024-12-05"),
    "ends-at-due": ends_on("2024-12-10"),
    "ends-after": ends_on("2025-03-01"),
    "ends-early": ends_on("2024-11-20"),
    "other-superior": LATER_ABOVE,
    "no-superior": {},
    "helps": ABOVE,
    "joins-1": joins_on("2024-06-01"),
    "joins-2": joins_on("2024-06-01"),
    "leaves": joins_on(plans.SINCE, to="2025-02-01"),
    "over-1": {},
    "over-2": {},
}
NIL: Json = {"content": some.FULL | {"sections": {}, "nil_return": True}}
UNPROVEN: Json = {"dispatch": {"sent_at": "2024-12-09T10:00:00+07:00", "proof": "postmark", "reference": None}}
REPORTS: dict[str, Json] = {
    "complete": {},
    "nothing to report": NIL,
    "blank": {"content": some.FULL | {"sections": {"results": " "}}},
    "sent before": {"dispatch": {"sent_at": "2024-12-09T10:00:00+07:00", "proof": "postmark", "reference": "RR 1"}},
    "unproven": UNPROVEN,
    "nothing to report, unproven": NIL | UNPROVEN,
}
POSITION = LogPosition(
    offset=7,
    recorded_at=datetime(2025, 5, 1, tzinfo=UTC),
    generation=3,
    trace=TraceContext(parent=f"00-{'1' * 32}-{'2' * 16}-01", state="a=b"),
)
STEP = timedelta(microseconds=1)


def a_catalogue(version: Json) -> DutyCatalogue:
    """Build the duty of all agencies in one plan."""
    clause = {"citation": {"source": "kh", "clause": "100 % III", "quote": "gửi kết quả"}}
    obligation = plans.an_obligation(version, **{"with": ["helps"]}, **clause)
    agencies = [plans.an_agency(name, **changes) for name, changes in AGENCIES.items()]
    return DutyCatalogue(plans.a_plan(obligation), plans.a_registry(*agencies))


def list_reports(catalogue: DutyCatalogue, period: str | None) -> Iterator[Fact]:
    """Yield a report of each agency and kind at each turn of any agency's duty, and just before and after it."""
    turns: set[datetime] = set()
    for agency in AGENCIES:
        duty = catalogue.shared_duty(agency=agency, obligation=plans.OBLIGATION, period=period)
        outcome = duty.without_facts.outcome
        turns.update(one.starts_at for one in outcome.timeline)
        turns.update(instant for one in outcome.alerts for instant in (one.at, one.until) if instant is not None)
    around = sorted(turn + step for turn in turns for step in (-STEP, timedelta(), STEP))
    for agency, (kind, data), at in product(AGENCIES, REPORTS.items(), around):
        named = {"agency": agency, "period": period}
        event = plans.a_submission(f"{kind}-{agency}", data=named | data, receivedtime=at.isoformat())
        yield fact_decoder.decode_fact(json.dumps(event).encode())


def assess(catalogue: DutyCatalogue, report: Fact, period: str | None) -> bytes:
    """Return the assessment of the duty that *report* is about."""
    duty = catalogue.duty(agency=report.agency, obligation=report.obligation, period=period)
    return assessment_event.encode_assessment(catalogue, duty, [report], position=POSITION)


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_a_report_around_a_turn_leads_to_the_same_bytes(version: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whichever agency and of whichever kind, and whichever report came before it."""
    period = None if version["due"] is None else "2024"
    reports = list(list_reports(a_catalogue(version), period))
    by_time: list[Any] = sorted(reports, key=lambda one: one.received_at)
    forwards, backwards = a_catalogue(version), a_catalogue(version)
    quick = [assess(forwards, report, period) for report in by_time]
    reversely = [assess(backwards, report, period) for report in reversed(by_time)]
    monkeypatch.setattr(SharedDuty, "is_discharged_by", lambda *_: False)
    full = [assess(forwards, report, period) for report in by_time]
    assert quick == full
    assert reversely[::-1] == full
