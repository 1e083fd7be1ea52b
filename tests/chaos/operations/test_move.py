"""The runbook's "Move to another cluster": one node is replaced by three others while the services run.

The old node is what `make up` and docker-compose.yml have, broker and controller in one. Offsets stay what they are.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from deploy.local.process.ports import LOOPBACK
from schemas.events.topics import FACTS, WITH_DEAD_LETTERS
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.clients.installation import SERVICES, Installation, Season, install
from tests.support.kafka_tools.kafka_quorum import QuorumNode
from tests.support.kafka_tools.kafka_tools import KafkaTools, ToolFailedError
from tests.support.servers.kafka import Bus, Record
from tests.support.tools import needs

pytestmark = needs("mvn", package="maven")

ROOT = Path(__file__).parents[3]
OLD, NEW = 1, (2, 3, 4)
PERIOD = {"period": "2026"}
REPORTS = [
    plans.a_submission(f"s-{number}", data={**PERIOD, "agency": agency}, subject=agency)
    for number, agency in enumerate(plans.AGENCIES[:3])
]
PARTITION = re.compile(r"\tTopic: (\S+)\tPartition: (\d+)\t")
STOP_SECONDS = 15.0  # `stop` would kill it after 20


@pytest.fixture
def kafka(tmp_path: Path, jars: Path) -> Iterator[QuorumNode]:
    """The old node, which the season begins on."""
    node = QuorumNode(tmp_path / "nodes", jars=jars, number=OLD)
    node.start()
    yield node
    node.kill()


@pytest.fixture
def new_nodes(tmp_path: Path, jars: Path, kafka: QuorumNode) -> Iterator[Sequence[QuorumNode]]:
    """The new nodes, which are not started yet."""
    nodes = [QuorumNode(tmp_path / "nodes", jars=jars, number=one, controllers=[kafka.controller]) for one in NEW]
    yield nodes
    for node in nodes:
        node.kill()


@pytest.mark.chaos
@pytest.mark.timeout(1200)
async def test_the_services_move_to_other_nodes_with_their_log(
    season: Season, kafka: QuorumNode, new_nodes: Sequence[QuorumNode], tmp_path: Path
) -> None:
    """Every report counts once, no offset changes, nobody is told twice; the old node ends and is not missed."""
    tools = KafkaTools(tmp_path / "tools")
    bootstrap = ",".join(node.bootstrap for node in new_nodes)
    before = install(season, ROOT, tmp_path / "services")
    after = install(season, ROOT, tmp_path / "services", bootstrap=bootstrap)
    before.start()
    try:
        receipts = [await _report(season, before, 0)]
        first = await _facts(kafka.bootstrap)
        tools.run("kafka-features.sh", "--bootstrap-server", kafka.bootstrap, "upgrade", "--feature", "kraft.version=1")
        for node in new_nodes:
            node.start()
        await _move_partitions(tools, kafka.bootstrap, tmp_path)
        for name in SERVICES:
            before.stop(name)
            after.services[name].launch()
            after.services[name].wait_until_ready()
        receipts.append(await _report(season, after, 1))
        await _move_controllers(tools, kafka, new_nodes)
        _take_away(tools, kafka, new_nodes)
        receipts.append(await _report(season, after, 2))
        again = [await season.post(after.services["intake"], report) for report in REPORTS]
        await season.client.wait_until_idle()
    finally:
        before.stop(*SERVICES)
        after.stop(*SERVICES)
    assert again == receipts
    facts = await _facts(bootstrap)
    assert [one for one in facts if one in first] == first
    assert len(facts) == len(first) + 2
    for topic in WITH_DEAD_LETTERS:
        assert await Bus(bootstrap).records(topic.dead_letter) == []


async def _report(season: Season, installation: Installation, number: int) -> str:
    """Post a report, wait until it is shown, and return the id of its receipt."""
    receipt = await season.post(installation.services["intake"], REPORTS[number])
    await season.wait_until_shown(installation.services["reporting"], plans.AGENCIES[number], "on_time")
    return receipt


async def _facts(bootstrap: str) -> list[Record]:
    return await Bus(bootstrap).records(FACTS.name)


async def _move_partitions(tools: KafkaTools, bootstrap: str, folder: Path) -> None:
    """Place every partition, those of Kafka's own topics too, on the new nodes alone."""
    server = ("--bootstrap-server", bootstrap)
    found = PARTITION.findall(tools.run("kafka-topics.sh", *server, "--describe"))
    assert "__consumer_offsets" in {topic for topic, _ in found}
    placed = [
        {"topic": topic, "partition": int(number), "replicas": [*NEW[count % 3 :], *NEW[: count % 3]]}
        for count, (topic, number) in enumerate(found)
    ]
    placement = folder / "placement.json"
    placement.write_text(json.dumps({"version": 1, "partitions": placed}), encoding="utf-8")
    move = ("kafka-reassign-partitions.sh", *server, "--reassignment-json-file", str(placement))
    tools.run(*move, "--execute", "--throttle", "50000000")

    async def is_complete() -> bool:
        return tools.run(*move, "--verify").count("is completed") == len(placed)

    await eventually(is_complete, "every partition on the new nodes", timeout=120.0)


async def _move_controllers(tools: KafkaTools, old: QuorumNode, new: Sequence[QuorumNode]) -> None:
    """Let the new nodes vote, tell the old one about them, and take its vote away."""
    quorum = ("kafka-metadata-quorum.sh", "--bootstrap-server", new[0].bootstrap)
    for node in new:
        tools.run(*quorum, "--command-config", str(node.configuration), "add-controller")
    old.controllers = [node.controller for node in new]
    old.restart()
    rows = [line.split() for line in tools.run(*quorum, "describe", "--replication").splitlines()]
    (directory,) = [row[1] for row in rows if row[:1] == [str(OLD)]]
    vote = ("--controller-id", str(OLD), "--controller-directory-id", directory)

    async def is_removed() -> bool:
        """As the leader has just changed, the broker may still ask the one before."""
        try:
            tools.run(*quorum, "remove-controller", *vote)
        except ToolFailedError:
            return False
        return True

    await eventually(is_removed, "the vote of the old node taken away", timeout=120.0)


def _take_away(tools: KafkaTools, old: QuorumNode, new: Sequence[QuorumNode]) -> None:
    """Stop the old node and forget it; the new ones are restarted one by one and find each other without it."""
    began = time.monotonic()
    old.stop()
    assert time.monotonic() - began < STOP_SECONDS
    server = ("--bootstrap-server", new[0].bootstrap)
    tools.run("kafka-cluster.sh", "unregister", *server, "--id", str(OLD))
    for node in new:
        node.controllers = [one.controller for one in new]
        node.restart()
    status = tools.run("kafka-metadata-quorum.sh", *server, "describe", "--status")
    assert sorted(re.findall(rf"CONTROLLER://({LOOPBACK}:\d+)", status)) == sorted(one.controller for one in new)
    assert tools.run("kafka-topics.sh", *server, "--describe", "--unavailable-partitions").strip() == ""
