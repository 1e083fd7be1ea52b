"""Encodes an assessment as a CloudEvent, `vn.dondoc.duty.assessed.v1`.

The same facts give the same bytes: nothing in the event comes from a clock. Its id derives from the duty, the versions
of plan and registry and the facts known.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET

from schemas.events import wire
from schemas.events.assessments import ASSESSED
from schemas.events.event_origin import TraceContext
from schemas.events.ids import digest
from schemas.events.wire import WireDutyAssessed, WireEvent
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact, identity
from services.rules.core.fast_path import DutyOutcome

SOURCE = "dondoc/rules"

# Revisions of a later generation of the log are greater than all of an earlier one. At 1,000 records a second a
# partition takes 34 years to 2^40 offsets, and up to generation 8,191 a revision stays below 2^53, so that it is exact
# in every JSON parser.
OFFSETS_A_GENERATION = 1 << 40

LARGEST_RECORD_BYTES = 16 * 1024 * 1024  # what the topic carries in one record
JSON_BYTES_AN_ID = 3  # two quotation marks and a comma
FACTS_NEVER_LARGE = 8  # with ids of 1,024 characters of four bytes they make 600 kB


class LargeAssessmentError(Exception):
    """An assessment would be too large; fewer facts, or facts with shorter ids, would fit."""


class LogPosition(msgspec.Struct, frozen=True, kw_only=True):
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
    """Assess *duty* from the *facts* that bear on it, and return the assessment as an event.

    Raise `LargeAssessmentError` instead of building one of more than *largest_bytes*.
    """
    outcome = catalogue.outcomes.outcome_of(duty, facts)
    if len(facts) > FACTS_NEVER_LARGE:
        _reject_large_outcome(outcome, largest_bytes)
    trace = position.trace
    event = WireEvent(
        id=derive_event_id(catalogue, duty, facts),
        source=SOURCE,
        type=ASSESSED,
        subject=duty.key.agency,
        time=position.recorded_at,
        traceparent=UNSET if trace is None else trace.parent,
        tracestate=UNSET if trace is None or trace.state is None else trace.state,
        data=_build_data(catalogue, duty, outcome, position),
    )
    return wire.encode(event)


def derive_event_id(catalogue: DutyCatalogue, duty: Duty, facts: Sequence[Fact]) -> str:
    """Return the id of the assessment of *duty* from *facts*."""
    # The facts are sorted, because the id must not depend on their order. U+001E separates source and id: intake
    # accepts no control characters in either.
    return digest(str(duty.key), catalogue.versions, *sorted(["\x1e".join(identity(fact)) for fact in facts]))


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
