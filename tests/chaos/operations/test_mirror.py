"""The whole place is lost, broker and databases: the services start on the mirror (runbook, "Move to another cluster").

What the mirror holds are facts, deliveries, reports and references; rules makes verdicts and states anew.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.process.ports import free_ports
from deploy.local.servers.kafka import Kafka
from schemas.events.topics import DELIVERIES, FACTS, REFERENCES, WITH_DEAD_LETTERS
from tests.support import maven
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.notifier import AGENCY, a_contact
from tests.support.servers.installation import SERVICES, Season, install
from tests.support.servers.kafka import Bus
from tests.support.servers.mirror_maker import MirrorMaker

ROOT = Path(__file__).parents[3]
PERIOD = {"period": "2026"}
NOTHING: plans.Json = {"nil_return": False, "figures_as_of": None, "sections": {}, "indicators": {}}
INCOMPLETE = plans.a_submission("s-1", data={**PERIOD, "content": NOTHING})
OTHER = plans.a_submission("s-2", data={**PERIOD, "agency": plans.AGENCIES[1]}, subject=plans.AGENCIES[1])


@pytest.fixture
def second_kafka(tmp_path: Path, jars: Path) -> Iterator[Kafka]:
    """The broker of the second place."""
    port, controller_port = free_ports(2)
    server = Kafka(tmp_path / "second", jars=jars, port=port, controller_port=controller_port)
    server.start()
    yield server
    server.kill()


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.skipif(not maven.is_available(), reason="Maven fetches MirrorMaker, and there is no `mvn` or `java` here")
async def test_the_services_go_on_from_a_mirror_when_the_first_place_is_lost(
    season: Season, second_kafka: Kafka, tmp_path: Path
) -> None:
    """With new databases and contacts alone: nothing is lost or refused, no receipt changes, nobody is told twice."""
    mirror = MirrorMaker(tmp_path / "mirror", source=season.client.bus.bootstrap, target=second_kafka.bootstrap)
    second = Bus(second_kafka.bootstrap)
    await second.recreate_topics()
    first_place = install(season, ROOT, tmp_path / "first-place")
    second_place = install(season, ROOT, tmp_path / "second-place", bootstrap=second.bootstrap)
    mirror.start()
    first_place.start()
    try:
        receipts = [await season.post(first_place.services["intake"], one) for one in (INCOMPLETE, OTHER)]
        await season.wait_until_shown(first_place.services["reporting"], plans.AGENCIES[1], "on_time")
        await season.client.wait_for_mails(1)
        await season.client.wait_until_idle()
        await _wait_until_mirrored(season.client.bus, second)
        first_place.stop(*SERVICES)
        mirror.stop()
        await _lose_databases(season)
        second_place.start()
        again = [await season.post(second_place.services["intake"], one) for one in (INCOMPLETE, OTHER)]
        assert again == receipts
        complete = plans.a_submission("s-3", data={**PERIOD, "corrects": "s-1"})
        await season.post(second_place.services["intake"], complete)
        await season.wait_until_shown(second_place.services["reporting"], plans.AGENCIES[1], "on_time")
        await season.wait_until_shown(second_place.services["reporting"], AGENCY, "on_time")
        await season.client.wait_until_idle()
    finally:
        first_place.stop(*SERVICES)
        second_place.stop(*SERVICES)
        mirror.stop()
    assert len(await second.records(FACTS.name)) == len(await season.client.bus.records(FACTS.name)) + 1
    assert len(season.client.smtp.mails()) == 1
    for topic in WITH_DEAD_LETTERS:
        assert await second.records(topic.dead_letter) == []


async def _wait_until_mirrored(first: Bus, second: Bus) -> None:
    """Wait until the mirror has what the first broker has, record by record, keys and headers included."""
    for topic in (FACTS.name, DELIVERIES.name, REFERENCES.name):
        wanted = [(one.partition, one.key, one.value, one.headers) for one in await first.records(topic)]

        async def is_copied(topic: str = topic, wanted: object = wanted) -> bool:
            return [(one.partition, one.key, one.value, one.headers) for one in await second.records(topic)] == wanted

        await eventually(is_copied, f"{topic} on the mirror", timeout=120.0)


async def _lose_databases(season: Season) -> None:
    """Drop both databases and load the contacts into an empty one, as from `dondoc contacts export`."""
    database = season.client.database
    for name in (database.name, f"{database.name}-r", f"{database.name}-r-standby"):
        database.client.drop_database(name)
    await season.client.load_contacts(*(a_contact(agency) for agency in plans.AGENCIES))
