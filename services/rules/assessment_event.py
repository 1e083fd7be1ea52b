"""Encodes an assessment as a CloudEvent, `vn.dondoc.duty.assessed.v1`.

The same facts give the same bytes: nothing in the event comes from a clock. Its id derives from the duty, the versions
of plan and registry and the facts known.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from schemas.events import wire
from schemas.events.assessments import ASSESSED, StepKind
from schemas.events.ids import digest
from schemas.events.wire import WireDutyAssessed, WireEvent, WireEventReference, WireStep
from services.rules.core import fast_path
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact, Submission, identity
from services.rules.core.fast_path import DutyOutcome, SharedDuty

SOURCE = "dondoc/rules"

# Revisions of a later generation of the log are greater than all of an earlier one. At 1,000 records a second a
# partition takes 34 years to 2^40 offsets, and up to generation 8,191 a revision stays below 2^53, so that it is exact
# in every JSON parser.
OFFSETS_A_GENERATION = 1 << 40

LARGEST_RECORD_BYTES = 16 * 1024 * 1024  # what the topic carries in one record
JSON_BYTES_AN_ID = 3  # two quotation marks and a comma
FACTS_NEVER_LARGE = 8  # with ids of 1,024 characters of four bytes they make 600 kB


_encode = msgspec.json.Encoder().encode
_GAP = re.compile(rb"\0(\w+)\0")


class LargeAssessmentError(Exception):
    """An assessment would be too large; fewer facts, or facts with shorter ids, would fit."""


class LogPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the log the record lies that an assessment follows from, and when the log recorded it.

    `generation` counts the logs that a partition has had: it grows when one is replaced or has lost its end.
    """

    offset: int
    recorded_at: datetime
    generation: int = 0

    @property
    def revision(self) -> int:
        """The number by which consumers order the assessments of one duty."""
        return self.generation * OFFSETS_A_GENERATION + self.offset


def generation_of(revision: int) -> int:
    """Return the generation of the log in which an assessment got its *revision*."""
    return revision // OFFSETS_A_GENERATION


def encode_assessment(
    catalogue: DutyCatalogue,
    duty: Duty,
    facts: Sequence[Fact],
    *,
    position: LogPosition,
    largest_bytes: int = LARGEST_RECORD_BYTES,
) -> bytes:
    """Assess *duty* from the *facts* that bear on it, each of them once, and return the assessment as an event.

    Raise `LargeAssessmentError` instead of building one of more than *largest_bytes*.
    """
    key = duty.key
    shared = catalogue.shared_duty(agency=key.agency, obligation=key.obligation, period=key.period)
    if not facts:
        without_facts = shared.without_facts
        outcome = DutyOutcome(timeline=without_facts.timeline, alerts=without_facts.alerts)
        return _encode_outcome(catalogue, duty, facts, outcome, position)
    if len(facts) == 1 and isinstance(facts[0], Submission) and shared.is_discharged_by(facts[0]):
        return encode_discharge(catalogue, shared, facts[0], position)
    return encode_in_full(catalogue, duty, facts, position=position, largest_bytes=largest_bytes)


def encode_in_full(
    catalogue: DutyCatalogue,
    duty: Duty,
    facts: Sequence[Fact],
    *,
    position: LogPosition,
    largest_bytes: int = LARGEST_RECORD_BYTES,
) -> bytes:
    """Return and raise what `encode_assessment` does, always by the full path."""
    outcome = fast_path.compute_outcome(duty, facts)
    if len(facts) > FACTS_NEVER_LARGE:
        _reject_large_outcome(outcome, largest_bytes)
    return _encode_outcome(catalogue, duty, facts, outcome, position)


def encode_discharge(catalogue: DutyCatalogue, shared: SharedDuty, report: Submission, position: LogPosition) -> bytes:
    """Return the assessment of the duty that *report* is about, one of *shared*, and discharges.

    It is cut from a template: what alike reports have in common was encoded once.
    """
    since, kind = fast_path.classify_discharge(shared, report)
    template = shared.without_facts.templates.get(kind)
    if template is None:
        template = shared.without_facts.templates[kind] = _build_template(catalogue, shared, report, since, position)
    key = "|".join((report.plan, report.agency, report.obligation, report.period or ""))
    values = {
        b"id": b'"%b"' % digest(key, catalogue.versions, "\x1e".join(identity(report))).encode(),
        b"agency": _encode(report.agency),
        b"recorded_at": _encode(position.recorded_at),
        b"revision": b"%d" % position.revision,
        b"since": _encode(since),
        b"event": _encode(report.id),
        b"source": _encode(report.source),
    }
    if shared.tells_receipt:
        values[b"receipt"] = _encode(fast_path.plan_receipt(shared, report, since))
    return template % values


def derive_event_id(catalogue: DutyCatalogue, duty: Duty, facts: Sequence[Fact]) -> str:
    """Return the id of the assessment of *duty* from *facts*."""
    # The facts are sorted, because the id must not depend on their order. U+001E separates source and id: intake
    # accepts no control characters in either.
    return digest(str(duty.key), catalogue.versions, *sorted(["\x1e".join(identity(fact)) for fact in facts]))


def _encode_outcome(
    catalogue: DutyCatalogue, duty: Duty, facts: Sequence[Fact], outcome: DutyOutcome, position: LogPosition
) -> bytes:
    event = WireEvent(
        id=derive_event_id(catalogue, duty, facts),
        source=SOURCE,
        type=ASSESSED,
        subject=duty.key.agency,
        time=position.recorded_at,
        data=_build_data(catalogue, duty, outcome, position),
    )
    return wire.encode(event)


def _build_template(
    catalogue: DutyCatalogue, shared: SharedDuty, report: Submission, since: datetime, position: LogPosition
) -> bytes:
    """Return the encoded assessment of a duty that *report* discharges, to be filled in with the % operator."""
    outcome = fast_path.discharge(shared, report, since)
    *before, last = outcome.timeline
    discharged = msgspec.structs.replace(
        last,
        starts_at=_gap("since") if before else last.starts_at,
        effective_at=_gap("since"),
        evidence=(_gap("event"),),
        standing=WireEventReference(source=_gap("source"), id=_gap("event")),
    )
    data = msgspec.structs.replace(
        _build_data(catalogue, shared.duty, outcome, position),
        agency=_gap("agency"),
        recorded_at=_gap("recorded_at"),
        revision=_gap("revision"),
        timeline=(*before, discharged),
        steps=tuple([_open_gap(one, since) for one in outcome.alerts]),
    )
    event = WireEvent(
        id=_gap("id"), source=SOURCE, type=ASSESSED, subject=_gap("agency"), time=_gap("recorded_at"), data=data
    )
    return _GAP.sub(rb"%(\1)b", wire.encode(event).replace(b"%", b"%%"))


def _gap(name: str) -> Any:  # noqa: ANN401 - it stands where a value of any type stands
    """Return what is encoded as a gap: JSON has no U+0000, so that no text can look like one."""
    return msgspec.Raw(f"\0{name}\0".encode())


def _open_gap(alert: WireStep, since: datetime) -> Any:  # noqa: ANN401 - as above
    """Return *alert* with gaps for what depends on the report, which counts from *since* on."""
    if alert.kind is StepKind.RECEIVED:
        return _gap("receipt")
    ends_then = alert.every is not None and alert.until == since
    return msgspec.structs.replace(alert, until=_gap("since")) if ends_then else alert


def _build_data(catalogue: DutyCatalogue, duty: Duty, outcome: DutyOutcome, position: LogPosition) -> WireDutyAssessed:
    return WireDutyAssessed(
        plan=catalogue.plan.plan,
        plan_version=catalogue.plan.version,
        registry=catalogue.registry.registry,
        registry_version=catalogue.registry.version,
        agency=duty.key.agency,
        obligation=duty.key.obligation,
        period=duty.key.period,
        clause=duty.obligation.citation.clause,
        opens_at=duty.opens_at,
        recorded_at=position.recorded_at,
        revision=position.revision,
        timeline=outcome.timeline,
        steps=outcome.alerts,
    )


def _reject_large_outcome(outcome: DutyOutcome, largest_bytes: int) -> None:
    """Raise `LargeAssessmentError` if the evidence is too large: every segment lists the ids of all its facts in full.

    500 facts with ids of 1,024 characters would make 129 MB.
    """
    sizes: dict[str, int] = {}
    total = sum(len(alert.step) for alert in outcome.alerts)
    for segment in outcome.timeline:
        for event in segment.evidence:
            size = sizes.get(event)
            if size is None:
                size = sizes[event] = len(event.encode()) + JSON_BYTES_AN_ID
            total += size
    if total > largest_bytes:
        raise LargeAssessmentError(
            f"its assessment would list {total:,} bytes of evidence; {largest_bytes:,} is the limit"
        )
