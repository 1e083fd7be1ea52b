"""What rules says follows from the log alone: said anew from its beginning, it is the same to the byte."""

from collections import Counter

from schemas.events.facts import ADOPTED
from schemas.events.topics import DUTIES, FACTS, VERDICTS
from tests.support.builders import plans
from tests.support.servers.kafka import Bus
from tests.support.servers.rules import QUICK_SESSION, Rules
from tests.support.servers.services import Launch

REBUILDERS = "dondoc-rules-rebuilt"
FIRST = plans.AGENCIES[0]


async def test_a_rebuild_from_the_log_says_the_same_to_the_byte(rules: Rules, launch: Launch) -> None:
    """State and verdicts are gone, the facts stay: the next owner says all of it again, in the same order."""
    owner = launch("rules", ready=False, **QUICK_SESSION)
    await rules.adopted()
    extended = plans.an_extension("e-1", "2024-12-20T00:00:00+07:00", receivedtime="2024-12-04T08:00:00+07:00")
    withdrawn = plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-05T08:00:00+07:00")
    again = plans.a_submission("s-2", data={"corrects": "s-1"}, receivedtime="2024-12-06T08:00:00+07:00")
    for event in (plans.a_submission(), extended, withdrawn, again, plans.a_submission()):
        await rules.accept(event)
    await rules.told(FIRST, times=5)
    await rules.settled()
    said = await spoken(rules.bus)
    facts = await known(rules.bus)
    owner.stop()
    await rules.bus.fresh(VERDICTS.name, DUTIES.name)
    launch("rules", ready=False, DONDOC_RULES_GROUP=REBUILDERS, **QUICK_SESSION)
    await rules.told(FIRST, times=5)
    await rules.bus.caught_up(REBUILDERS, FACTS.name)
    assert await spoken(rules.bus) == said
    assert await known(rules.bus) == facts


async def spoken(bus: Bus) -> list[tuple[int, bytes | None, bytes | None]]:
    """All that the verdicts topic holds, in its order: the partition, the key and the bytes of each."""
    return [(one.partition, one.key, one.value) for one in await bus.records(VERDICTS.name)]


async def known(bus: Bus) -> tuple[Counter[str], set[str]]:
    """The ids of the facts in the log, each as often as it lies there; those of adoptions once.

    An adoption has one id: it may lie there again if the next owner looks for it before it has read that far.
    """
    facts = [record.json for record in await bus.records(FACTS.name)]
    adopted = {fact["id"] for fact in facts if fact["type"] == ADOPTED}
    return Counter(fact["id"] for fact in facts if fact["type"] != ADOPTED), adopted
