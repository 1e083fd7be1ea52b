"""Encodes an assessment as a CloudEvent, `vn.dondoc.duty.assessed.v1`.

The same facts give the same bytes: nothing in the event comes from a clock. Its id derives from the duty, the versions
of plan and registry and the facts known.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from schemas.events import wire
from schemas.events.assessments import ASSESSED
from schemas.events.ids import digest
from schemas.events.wire import WireDutyAssessed, WireEvent
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact, identity
from services.rules.core.fast_path import DutyOutcome

SOURCE = "dondoc/rules"


class LogPosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the log the record lies that an assessment follows from, and when the log recorded it."""

    offset: int
    recorded_at: datetime


def encode_assessment(catalogue: DutyCatalogue, duty: Duty, facts: Sequence[Fact], *, position: LogPosition) -> bytes:
    """Assess *duty* from the *facts* that bear on it, and return the assessment as an event."""
    event = WireEvent(
        id=_derive_event_id(catalogue, duty, facts),
        source=SOURCE,
        type=ASSESSED,
        subject=duty.key.agency,
        time=position.recorded_at,
        data=_build_data(catalogue, duty, catalogue.outcomes.outcome_of(duty, facts), position),
    )
    return wire.encode(event)


def _derive_event_id(catalogue: DutyCatalogue, duty: Duty, facts: Sequence[Fact]) -> str:
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
        revision=position.offset,
        timeline=outcome.timeline,
        steps=outcome.alerts,
    )
