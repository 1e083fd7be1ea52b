"""Random facts of one docket, so near to each other and to the due instant that they collide.

There are few ids, two sources, three periods and a handful of instants, so that corrections of corrections, circles,
copies, reassignments back and forth and decisions on the due day itself occur often.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import msgspec
from hypothesis import strategies as st

from services.rules import fact_decoder
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact
from tests.support.assertions.spec import a_duty, an_undated_version, instant, with_decision_date
from tests.support.builders.plans import (
    SINCE,
    Json,
    a_reassignment,
    a_registry,
    a_return,
    a_revocation,
    a_submission,
    a_version,
    a_withdrawal,
    an_acceptance,
    an_agency,
    an_exemption,
    an_extension,
)

PERIODS = ("2023", "2024", "2025")
FIRST = datetime(2023, 11, 1, tzinfo=UTC)
_INSTANT = re.compile(r'"(\d{4}-\d{2}-\d{2}T[^"]+\+00:00)"')
_MINUTE = timedelta(minutes=1)

FULL: Json = {"nil_return": False, "figures_as_of": None, "sections": {"results": "x"}, "indicators": {}}
CONTENTS = (FULL, FULL | {"sections": {}}, FULL | {"sections": {}, "nil_return": True})

merged_agency = an_agency("h-mot", valid={"from": SINCE, "to": "2024-12-20"})
MERGED = a_registry(
    merged_agency,
    an_agency("h-hai"),
    successions=[{"type": "merge_into", "from": ["h-mot"], "to": ["h-hai"], "on": "2024-12-20"}],
)
REMINDERS: Json = {
    "before": ["P7D"],
    "after": ["PT0S"],
    "then_every": "P7D",
    "escalate": [{"after": "P3D", "to": "parent"}],
}
DUTIES: tuple[Duty, ...] = (
    *(a_duty(a_version(reminders=REMINDERS), period=period) for period in PERIODS),
    a_duty(registry=MERGED),
    a_duty(an_undated_version(), period=None),
)

near_due = st.sampled_from([instant("2023-12-10 00:00"), instant("2024-12-10 00:00"), instant("2025-01-01 00:00")])
instants = st.one_of(
    st.builds(lambda due, minutes: due + minutes * _MINUTE, near_due, st.integers(-3, 3)),
    st.builds(lambda days: FIRST + timedelta(days=days), st.integers(0, 500)),
)
ids = st.sampled_from([f"s-{number}" for number in range(1, 5)])
periods = st.sampled_from(PERIODS)
documents_on = st.sampled_from(["2023-12-01", "2024-12-01", "2024-12-10"])
days = st.builds(lambda instant: instant.date().isoformat(), instants)


@st.composite
def submissions(draw: st.DrawFn, ids: st.SearchStrategy[str] = ids) -> Json:
    """Draw a report, a correction or a copy, with one of *ids*."""
    sent = draw(st.one_of(st.none(), instants))
    number = draw(st.sampled_from(["1/BC", "2/BC", ""]))
    data = {
        "period": draw(st.one_of(periods, st.none())),
        "agency": draw(st.sampled_from(["h-mot", "h-hai"])),
        "on_behalf_of": "h-mot",
        "corrects": draw(st.one_of(st.none(), ids)),
        "document": {"number": number, "issued_on": draw(documents_on), "signed_by": "A", "title": ""},
        "dispatch": {
            "sent_at": sent and sent.isoformat(),
            "proof": draw(st.sampled_from(["none", "postmark"])),
            "reference": draw(st.sampled_from([None, " ", "RR1", "RR2"])),
        },
        "content": draw(st.sampled_from(CONTENTS)),
    }
    return a_submission(draw(ids), data=data, **draw(st.sampled_from([{}, {}, {"dispatchproof": "unproven"}])))


@st.composite
def decisions(draw: st.DrawFn) -> Json:
    """Draw an extension, an exemption or its revocation, decided on some day."""
    one, other = draw(instants).isoformat(), draw(instants).isoformat()
    event = draw(
        st.sampled_from(
            [
                an_extension("x-1", one),
                an_extension("x-2", other),
                an_exemption("e-1", one, other),
                an_exemption("e-2", one, other),
                a_revocation("r-1", "e-1", other),
                a_revocation("r-2", "e-1", None),
            ]
        )
    )
    return with_decision_date(event, draw(days))


def draw_reviews(ids: st.SearchStrategy[str]) -> st.SearchStrategy[Json]:
    """Draw returns, with and without an instant to respond by, and acceptances of reports with one of *ids*."""
    respond_by = st.one_of(st.none(), instants.map(lambda one: one.isoformat()))
    returned = st.sampled_from(["b-1", "b-2", "b-3", "b-4"])
    return st.one_of(
        st.builds(lambda event, of, by: a_return(event, of, respond_by=by), returned, ids, respond_by),
        st.builds(an_acceptance, st.sampled_from(["a-1", "a-2"]), ids),
    )


adjustments = st.one_of(
    draw_reviews(ids),
    st.builds(a_withdrawal, st.sampled_from(["w-1", "w-2"]), ids),
    st.builds(
        lambda event, moved, from_, to: a_reassignment(event, moved, from_=from_, to=to),
        st.sampled_from(["m-1", "m-2", "m-3"]),
        ids,
        periods,
        periods,
    ),
)


@st.composite
def recorded_events(draw: st.DrawFn, events: st.SearchStrategy[Json]) -> Json:
    """Draw an event with its source, the time of its receipt and, the same or later, that of its recording."""
    received_at = draw(instants)
    recorded_at = max(received_at, draw(instants))
    stamps = {"receivedtime": received_at.isoformat(), "recordedtime": recorded_at.isoformat()}
    return draw(events) | stamps | {"source": draw(st.sampled_from(["qlvb", "truc"]))}


logs = st.lists(recorded_events(st.one_of(submissions(), adjustments, decisions())), max_size=7)
six_ids = st.sampled_from([f"s-{number}" for number in range(1, 7)])
reports_of_2024 = st.builds(
    lambda event, agency: event | {"data": event["data"] | {"period": "2024", "agency": agency}},
    submissions(six_ids),
    st.sampled_from(["h-mot", "h-mot", "h-mot", "h-hai"]),
)
withdrawals_and_decisions = st.one_of(
    st.builds(a_withdrawal, st.sampled_from(["w-1", "w-2", "w-3"]), six_ids), decisions(), draw_reviews(six_ids)
)
crowded_logs = st.builds(
    lambda reports, others: [*reports, *others],
    st.lists(
        recorded_events(reports_of_2024),
        min_size=4,
        max_size=12,
        unique_by=lambda event: (event["source"], event["id"]),
    ),
    st.lists(recorded_events(withdrawals_and_decisions), max_size=6),
)
offsets = st.builds(lambda minutes: timezone(minutes * _MINUTE), st.integers(-23 * 60, 23 * 60))


def decode_facts(events: Sequence[Json]) -> list[Fact]:
    """Decode the facts of a log, in its order."""
    return [fact_decoder.decode_fact(msgspec.json.encode(event)) for event in events]


def rewrite_offsets(zone: timezone, events: Sequence[Json]) -> list[Json]:
    """Return the same events with every instant written at another offset."""
    text = json.dumps(events)
    rewritten: list[Json] = json.loads(_INSTANT.sub(lambda found: f'"{_write_at_offset(zone, found[1])}"', text))
    return rewritten


def _write_at_offset(zone: timezone, text: str) -> str:
    return datetime.fromisoformat(text).astimezone(zone).isoformat()
