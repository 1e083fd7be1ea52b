"""The assessments follow from the log alone: written anew from its beginning they are the same bytes."""

from collections import Counter

from schemas.events.facts import ADOPTED
from schemas.events.topics import DUTIES, FACTS, VERDICTS
from tests.support.builders import plans
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import QUICK_SESSION, RulesClient
from tests.support.servers.services import Launch

REBUILDERS = "dondoc-rules-rebuilt"
FIRST = plans.AGENCIES[0]


async def test_a_rebuild_from_the_log_writes_the_same_bytes(rules: RulesClient, launch: Launch) -> None:
    """After the topics of states and verdicts are emptied, the next owner writes the same records in the same order."""
    owner = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    extended = plans.an_extension("e-1", "2024-12-20T00:00:00+07:00", receivedtime="2024-12-04T08:00:00+07:00")
    withdrawn = plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-05T08:00:00+07:00")
    again = plans.a_submission("s-2", data={"corrects": "s-1"}, receivedtime="2024-12-06T08:00:00+07:00")
    for event in (plans.a_submission(), extended, withdrawn, again, plans.a_submission()):
        await rules.append_fact(event)
    await rules.wait_for_assessments(FIRST, times=5)
    await rules.wait_until_consumed()
    records = await verdict_records(rules.bus)
    facts = await fact_ids(rules.bus)
    owner.stop()
    await rules.bus.recreate_topics(VERDICTS.name, DUTIES.name)
    launch("rules", ready=False, DONDOC_RULES_GROUP=REBUILDERS, **QUICK_SESSION)
    await rules.wait_for_assessments(FIRST, times=5)
    await rules.bus.wait_until_consumed(REBUILDERS, FACTS.name)
    assert await verdict_records(rules.bus) == records
    assert await fact_ids(rules.bus) == facts


async def verdict_records(bus: Bus) -> list[tuple[int, bytes | None, bytes | None]]:
    """Return partition, key and value of every record of the verdicts topic, in its order."""
    return [(one.partition, one.key, one.value) for one in await bus.records(VERDICTS.name)]


async def fact_ids(bus: Bus) -> tuple[Counter[str], set[str]]:
    """Return the ids of the facts in the log with their number, and the ids of the adoptions without it.

    The next owner may append an adoption again, with the same id, if it looks for it before it has read that far.
    """
    facts = [record.json for record in await bus.records(FACTS.name)]
    adopted = {fact["id"] for fact in facts if fact["type"] == ADOPTED}
    return Counter(fact["id"] for fact in facts if fact["type"] != ADOPTED), adopted
