"""Encodes an assessment as a CloudEvent, `vn.dondoc.duty.assessed.v1`.

The same facts give the same bytes: nothing in the event comes from a clock. Its id derives from the duty, the versions
of plan and registry and the facts known.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import UNSET

from schemas.events import wire
from schemas.events.assessments import ASSESSED
from schemas.events.event_origin import TraceContext
from schemas.events.ids import digest
from schemas.events.wire import WireDutyAssessed, WireEvent, WireEventReference, WireSegment, WireStep
from services.rules.core import fast_path, notices
from services.rules.core.assess import decide_complete_status
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact, Submission, identity
from services.rules.core.fast_path import DischargeKind, DischargeTemplate, DutyOutcome, SharedDuty

SOURCE = "dondoc/rules"

# Revisions of a later generation of the log are greater than all of an earlier one. At 1,000 records a second a
# partition takes 34 years to 2^40 offsets, and up to generation 8,191 a revision stays below 2^53, so that it is exact
# in every JSON parser.
OFFSETS_A_GENERATION = 1 << 40

LARGEST_RECORD_BYTES = 16 * 1024 * 1024  # what the topic carries in one record
JSON_BYTES_AN_ID = 3  # two quotation marks and a comma
FACTS_NEVER_LARGE = 8  # with ids of 1,024 characters of four bytes they make 600 kB

_encode = msgspec.json.Encoder().encode

# What a template leaves open, in the order in which `encode_discharge` lists the values.
_GAPS = (b"id", b"agency", b"recorded_at", b"revision", b"since", b"event", b"source", b"receipt", b"trace")
_GAP = re.compile(rb"\0(%b)\0" % b"|".join(_GAPS))


class LargeAssessmentError(Exception):
    """An assessment would be too large; fewer facts, or facts with shorter ids, would fit."""


class LogPosition(msgspec.Struct, frozen=True, gc=False):
    """Where in the log the record lies that an assessment follows from, and when the log recorded it.

    `generation` counts the logs that a partition has had: it grows when one is replaced or has lost its end. `trace` is
    that of the record, to which what follows from it belongs too.
    """

    offset: int
    recorded_at: datetime
    generation: int = 0
    trace: TraceContext | None = None

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
        outcome = shared.without_facts.outcome
    elif len(facts) == 1 and isinstance(facts[0], Submission) and shared.is_discharged_by(facts[0]):
        return encode_discharge(catalogue, shared, facts[0], position)
    else:
        outcome = fast_path.compute_outcome(duty, facts)
        if len(facts) > FACTS_NEVER_LARGE:
            _reject_large_outcome(outcome, largest_bytes)
    data = _build_data(catalogue, duty, outcome, position)
    return _encode_event(derive_event_id(catalogue, duty, facts), data, position.trace)


def encode_discharge(catalogue: DutyCatalogue, shared: SharedDuty, report: Submission, position: LogPosition) -> bytes:
    """Return the assessment of the duty that *report* is about, one of *shared*, and discharges.

    It is cut from a template: what alike reports have in common was encoded once.
    """
    outcome = shared.without_facts
    since, kind = outcome.classify(shared.duty, report)
    template = outcome.templates.get(kind)
    if template is None:
        template = outcome.templates[kind] = _build_template(catalogue, shared, since, kind)
    key = f"{report.plan}|{report.agency}|{report.obligation}|{report.period or ''}"
    texts, arrange = template
    values = (
        _encode(digest(key, catalogue.versions, f"{report.source}\x1e{report.id}")),
        _encode(report.agency),
        _encode(position.recorded_at),
        _encode(position.revision),
        _encode(since),
        _encode(report.id),
        _encode(report.source),
        _encode_receipt(shared, report, since) if shared.tells_receipt else b"",
        b"" if position.trace is None else _encode_trace(position.trace),
    )
    return b"".join(arrange(values + texts))


def _encode_receipt(shared: SharedDuty, report: Submission, since: datetime) -> bytes:
    starts_at = max(since, shared.without_facts.outcome.timeline[0].starts_at)
    due_at = shared.duty.due_at
    return _encode(notices.plan_received_notice(report, starts_at=starts_at, due_at=due_at, effective_at=since))


def _encode_trace(trace: TraceContext) -> bytes:
    state = b"" if trace.state is None else b',"tracestate":' + _encode(trace.state)
    return b',"traceparent":' + _encode(trace.parent) + state


def derive_event_id(catalogue: DutyCatalogue, duty: Duty, facts: Sequence[Fact]) -> str:
    """Return the id of the assessment of *duty* from *facts*."""
    # The facts are sorted, because the id must not depend on their order. U+001E separates source and id: intake
    # accepts no control characters in either.
    return digest(str(duty.key), catalogue.versions, *sorted(["\x1e".join(identity(fact)) for fact in facts]))


def _build_template(
    catalogue: DutyCatalogue, shared: SharedDuty, since: datetime, kind: DischargeKind
) -> DischargeTemplate:
    """Return the template of the assessment of a duty that is discharged from *since* on."""
    duty, outcome = shared.duty, shared.without_facts.outcome
    _, _, is_nil_return, is_unproven = kind
    before = [one for one in outcome.timeline if one.starts_at < since]
    discharged = WireSegment(
        # A report received before the duty opens counts from the opening, where the timeline starts.
        starts_at=_gap("since") if before else outcome.timeline[0].starts_at,
        status=decide_complete_status(since, duty.due_at),
        due_at=duty.due_at,
        effective_at=_gap("since"),
        submissions=1,
        # In the order of `assess.FLAGS`.
        flags=("dispatch_unproven",) * is_unproven + ("nil_return",) * is_nil_return,
        evidence=(_gap("event"),),
        standing=WireEventReference(source=_gap("source"), id=_gap("event")),
    )
    alerts: list[Any] = [_end_repetition(one, since) for one in outcome.alerts if one.at < since]
    if shared.tells_receipt:
        alerts.append(_gap("receipt"))  # the last alert: whatever else the duty calls for lies before the report
    discharge = DutyOutcome(timeline=(*before, discharged), alerts=tuple(alerts))
    data = _build_data(catalogue, duty, discharge, LogPosition(offset=0, recorded_at=_gap("recorded_at")))
    data = msgspec.structs.replace(data, agency=_gap("agency"), revision=_gap("revision"))
    event = _encode_event(_gap("id"), data, None)
    event = event.replace(b',"data":', b'\0trace\0,"data":', 1)  # where the attributes of a trace stand
    pieces = _GAP.split(event)  # texts, and the names of the gaps between them
    order = [_GAPS.index(one) if place % 2 else len(_GAPS) + place // 2 for place, one in enumerate(pieces)]
    return tuple(pieces[::2]), itemgetter(*order)


def _gap(name: str) -> Any:  # noqa: ANN401 - it stands where a value of any type stands
    """Return what is encoded as a gap: JSON has no U+0000, so that no text can look like one."""
    return msgspec.Raw(f"\0{name}\0".encode())


def _end_repetition(alert: WireStep, since: datetime) -> WireStep:
    """Return *alert*, repeated no longer than until the report; what does not repeat stays as it is."""
    if alert.every is None or alert.until is None or alert.until < since:
        return alert
    return msgspec.structs.replace(alert, until=_gap("since"))


def _encode_event(event_id: str, data: WireDutyAssessed, trace: TraceContext | None) -> bytes:
    event = WireEvent(
        id=event_id,
        source=SOURCE,
        type=ASSESSED,
        subject=data.agency,
        time=data.recorded_at,
        traceparent=UNSET if trace is None else trace.parent,
        tracestate=UNSET if trace is None or trace.state is None else trace.state,
        data=data,
    )
    return wire.encode(event)


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
    total = sum(len(alert.step) for alert in outcome.alerts)
    for segment in outcome.timeline:
        total += sum(len(event.encode()) + JSON_BYTES_AN_ID for event in segment.evidence)
    if total > largest_bytes:
        raise LargeAssessmentError(
            f"its assessment would list {total:,} bytes of evidence; {largest_bytes:,} is the limit"
        )
