"""Decodes an assessment into what the notifier schedules alerts by, and refuses what could not be scheduled or stored.

The data of an assessment is as `schemas.events.wire` describes it; fields that it does not describe are ignored.
"""

import msgspec

from schemas.events.assessments import ASSESSED
from schemas.events.ids import DutyKey
from schemas.events.wire import WireDutyAssessed, WireSegment, WireStep
from schemas.plan import durations
from services.notifier.core.scheduling.scheduled_alert import DutyAssessment, StatusInterval
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError

# MongoDB takes documents of 16 MiB, of which a schedule may fill half.
_LARGEST_SCHEDULE_BYTES = 8 * 1024 * 1024
_ALERT_BYTES = 1_024  # of a scheduled alert beside its texts
_COPIES_OF_STEP = 4  # in the alert, in the list of active steps, among the keys of what was sent, in a claim
_CHARACTER_BYTES = 4  # at most, in UTF-8


class _AssessedEvent(msgspec.Struct, frozen=True):
    """All that the notifier requires of the envelope; the data of another type of event is not even decoded."""

    type: str
    data: msgspec.Raw


_EVENT_DECODER = RecordDecoder[_AssessedEvent](_AssessedEvent)
_DATA_DECODER = RecordDecoder[WireDutyAssessed](WireDutyAssessed)


def decode_assessment(value: bytes | None) -> DutyAssessment | None:
    """Return the assessment in the value of a record, or None for an event of another type.

    Raises `UnreadableRecordError` for anything that is not an event, or not a valid assessment.
    """
    event = _EVENT_DECODER.decode(value)
    if event.type != ASSESSED:
        return None
    return _build_assessment(_DATA_DECODER.decode_member(event.data, "/data"))


def _build_assessment(fields: WireDutyAssessed) -> DutyAssessment:
    _refuse_oversized(fields)
    try:
        duty = DutyKey.from_event(
            plan=fields.plan, agency=fields.agency, obligation=fields.obligation, period=fields.period
        )
    except ValueError as cause:
        raise UnreadableRecordError("/data", str(cause)) from cause
    return DutyAssessment(
        duty=duty,
        plan_version=fields.plan_version,
        registry=fields.registry,
        registry_version=fields.registry_version,
        clause=fields.clause,
        revision=fields.revision,
        recorded_at=decoding.require_instant(fields.recorded_at, "/data/recorded_at"),
        timeline=tuple(_build_interval(one) for one in fields.timeline),
        alerts=tuple(_require_usable(step) for step in fields.steps),
    )


def _refuse_oversized(fields: WireDutyAssessed) -> None:
    """Raise `UnreadableRecordError` if the schedule of the assessment could be too large for its document."""
    # Every alert holds the parts that are missing at its instant.
    longest_missing = max((sum(map(len, one.missing)) for one in fields.timeline), default=0)
    labels = sum(len(step.step) + len(step.to) for step in fields.steps)
    characters = len(fields.clause) + len(fields.steps) * longest_missing + _COPIES_OF_STEP * labels
    if len(fields.steps) * _ALERT_BYTES + characters * _CHARACTER_BYTES > _LARGEST_SCHEDULE_BYTES:
        raise UnreadableRecordError("/data/steps", f"the schedule of {len(fields.steps)} alerts would be too large")


def _build_interval(segment: WireSegment) -> StatusInterval:
    due_at = segment.due_at
    return StatusInterval(
        starts_at=decoding.require_instant(segment.starts_at, "/data/timeline/from"),
        status=segment.status,
        due_at=due_at and decoding.require_instant(due_at, "/data/timeline/due_at"),
        missing=segment.missing,
    )


def _require_usable(step: WireStep) -> WireStep:
    """Return *step*; raise `UnreadableRecordError` if its instants are out of reach or it repeats too soon."""
    for instant in filter(None, (step.at, step.due_at, step.until)):
        decoding.require_instant(instant, "/data/steps")
    if step.every is not None:
        try:
            durations.parse(step.step)  # the name of a repetition is the step and so many intervals more
            is_interval = durations.is_interval(step.every)
        except ValueError as cause:
            raise UnreadableRecordError("/data/steps", str(cause)) from cause
        if not is_interval:
            raise UnreadableRecordError("/data/steps/every", f"{step.every} is too short to repeat an alert at")
    return step
