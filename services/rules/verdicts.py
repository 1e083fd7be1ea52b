"""An assessment as a CloudEvent, `vn.dondoc.duty.assessed.v1`.

The same facts give the same bytes: nothing in here comes from a clock. The id derives from the duty, the versions of
plan and registry and the facts known; the structs mirror `schemas.assessments`, and a contract test holds them to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from schemas.assessments import ASSESSED
from schemas.ids import digest
from services.rules.core import steps
from services.rules.core.assess import Assessment, Segment, assess
from services.rules.core.book import Book
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, identity

SOURCE = "dondoc/rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The record of the log that an assessment follows from: its offset, and when the log recorded it."""

    offset: int
    recorded_at: datetime


class TimelineSegment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"from_": "from"}):
    """`schemas.assessments.Segment`, fast to write."""

    from_: datetime
    status: str
    due_at: datetime | None = None
    effective_at: datetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


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
    timeline: tuple[TimelineSegment, ...]
    steps: tuple[steps.Step, ...]


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
    assessment = assess(duty, facts)
    event = _Event(
        id=_event_id(book, duty, facts),
        subject=duty.key.agency,
        time=applied.recorded_at,
        data=_told(book, assessment, applied),
    )
    return _ENCODER.encode(event)


def _event_id(book: Book, duty: Duty, facts: Sequence[Fact]) -> str:
    return digest(str(duty.key), book.versions, *sorted(["\x1e".join(identity(fact)) for fact in facts]))


def _told(book: Book, assessment: Assessment, applied: Applied) -> _Assessed:
    duty = assessment.duty
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
        timeline=tuple([segment(one) for one in assessment.timeline]),
        steps=steps.steps(assessment),
    )


def segment(one: Segment) -> TimelineSegment:
    """Return *one* as it is written on the wire."""
    return TimelineSegment(
        from_=one.starts_at,
        status=one.status,
        due_at=one.due_at,
        effective_at=one.effective_at,
        submissions=one.submissions,
        flags=one.flags,
        missing=one.missing,
        evidence=one.evidence,
    )
