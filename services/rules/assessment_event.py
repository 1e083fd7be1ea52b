"""An assessment as a CloudEvent, `vn.dondoc.duty.assessed.v1`.

The same facts give the same bytes: nothing in here comes from a clock. The id derives from the duty, the versions of
plan and registry and the facts known; the structs mirror `schemas.events.assessments`, held to it by a contract test.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from schemas.events.assessments import ASSESSED
from schemas.events.ids import digest
from services.rules.core.alerts import Step
from services.rules.core.assess import Segment
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import Book
from services.rules.core.facts import Fact, identity
from services.rules.core.fast_path import Course

SOURCE = "dondoc/rules"


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The record of the log that an assessment follows from: its offset, and when the log recorded it."""

    offset: int
    recorded_at: datetime


class _Assessed(msgspec.Struct, frozen=True, kw_only=True):
    plan: str
    plan_version: int
    registry: str
    registry_version: int
    agency: str
    obligation: str
    period: str | None
    clause: str
    opens_at: datetime | None
    recorded_at: datetime
    revision: int
    timeline: tuple[Segment, ...]
    steps: tuple[Step, ...]


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    specversion: str = "1.0"
    id: str
    source: str = SOURCE
    type: str = ASSESSED
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    data: _Assessed


_ENCODER = msgspec.json.Encoder()


def verdict(book: Book, duty: Duty, facts: Sequence[Fact], *, applied: Applied) -> bytes:
    """Assess *duty* from the *facts* that bear on it and return the event that tells it."""
    event = _Event(
        id=_event_id(book, duty, facts),
        subject=duty.key.agency,
        time=applied.recorded_at,
        data=_told(book, duty, book.courses.of(duty, facts), applied),
    )
    return _ENCODER.encode(event)


def _event_id(book: Book, duty: Duty, facts: Sequence[Fact]) -> str:
    return digest(str(duty.key), book.versions, *sorted(["\x1e".join(identity(fact)) for fact in facts]))


def _told(book: Book, duty: Duty, course: Course, applied: Applied) -> _Assessed:
    return _Assessed(
        plan=book.plan.plan,
        plan_version=book.plan.version,
        registry=book.registry.registry,
        registry_version=book.registry.version,
        agency=duty.key.agency,
        obligation=duty.key.obligation,
        period=duty.key.period,
        clause=duty.obligation.citation.clause,
        opens_at=duty.opens_at,
        recorded_at=applied.recorded_at,
        revision=applied.offset,
        timeline=course.timeline,
        steps=course.steps,
    )
