"""Rules beside a hostile writer: what it cannot read is set aside, and the facts between are assessed."""

import pytest

from schemas.events.facts import MODEL_OF
from schemas.events.ids import partition_of
from schemas.events.topics import FACTS, REFERENCES
from services.rules import fact_decoder
from tests.support.builders import plans
from tests.support.hostile import bus as hostile_bus
from tests.support.hostile import records
from tests.support.servers.rules import RulesClient
from tests.support.servers.services import Launch

FIRST, SECOND, _ = plans.AGENCIES


@pytest.mark.chaos
async def test_a_hostile_writer_stops_nothing(rules: RulesClient, launch: Launch) -> None:
    """The corpus on facts and references: rules stays ready, sets the unreadable aside, and assesses what is good."""
    service = launch("rules", ready=False)
    await rules.publish_usual_plan()
    values = hostile_bus.corpus(records.valid_facts, every=23)
    for key in (b"plan:P-1@2", b"registry:th@2", b"nonsense", b"plan:P-1@x", b"plan:\xff@1", b"planet:P-1@1"):
        for value in (b"{", b"[" * 50_000, b'{"plan":"P-1","version":2}', b"\xff"):
            await rules.bus.publish(REFERENCES.name, value, key=key, partition=0)
    partition = partition_of(FIRST, rules.bus.partitions)
    await hostile_bus.publish_all(rules.bus, FACTS.name, values, key=FIRST, partition=partition)
    for timestamp in hostile_bus.TIMESTAMPS[1:]:
        await hostile_bus.publish_at(rules.bus, FACTS.name, timestamp)
    await rules.append_fact(plans.a_submission("s-good", data={"period": "2023"}))
    await rules.append_fact(plans.a_submission("s-good", data={"agency": SECOND}), agency=SECOND)
    (assessed, *_) = await rules.wait_for_assessments(SECOND, times=2)
    assert assessed.agency == SECOND
    assert "s-good" in (await rules.wait_for_assessments(FIRST, times=2, period="2023"))[-1].timeline[-1].evidence
    refused = hostile_bus.count_refused(fact_decoder.decode_event, values) + len(hostile_bus.TIMESTAMPS[1:])
    assert service.read_metric('rules_dead_letters_total{reason="unreadable"}') == refused > len(MODEL_OF)
    assert service.read_metric('rules_dead_letters_total{reason="unexpected"}') == 0
    assert service.read_metric("rules_partitions_reopened_total") == 0
    assert service.read_metric("runtime_references_unreadable") == 6
    assert service.is_ready()
