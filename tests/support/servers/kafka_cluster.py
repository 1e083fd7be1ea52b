"""Three real brokers that replicate; a test may stop or kill each of them."""

from collections.abc import Iterable
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.process.ports import LOOPBACK, free_ports
from deploy.local.servers.kafka import Kafka
from schemas.events.ids import partition_of
from schemas.events.topics import FACTS
from services.runtime.kafka.topics import ensure_topics
from tests.support.servers.kafka import PARTITIONS, Bus

NODES = 3


class Node(Kafka):
    """One of the three brokers. The first one is also the controller and must keep running."""

    def __init__(self, folder: Path, *, jars: Path, number: int, port: int, controller_port: int) -> None:
        self._number = number
        super().__init__(folder, jars=jars, port=port, controller_port=controller_port)

    def _write_configuration(self, data: Path) -> None:
        super()._write_configuration(data)
        controller = f"CONTROLLER://{LOOPBACK}:{self.controller_port}"
        changes = {
            "min.insync.replicas=1": "min.insync.replicas=2",
            "topic.replication.factor=1": f"topic.replication.factor={NODES}",
        }
        if self._number > 1:
            changes |= {"roles=broker,controller": "roles=broker", "node.id=1": f"node.id={self._number}"}
            changes |= {f",{controller}": ""}
        text = self._configuration.read_text(encoding="utf-8")
        for usual, ours in changes.items():
            assert usual in text
            text = text.replace(usual, ours)
        self._configuration.write_text(text, encoding="utf-8")


class Cluster:
    """The nodes by number from 1, and a `Bus` over all of them. Each leads one partition of the facts."""

    def __init__(self, folder: Path, *, jars: Path) -> None:
        controller_port, *listening = free_ports(NODES + 1)
        self.nodes = {
            number: Node(folder / str(number), jars=jars, number=number, port=port, controller_port=controller_port)
            for number, port in enumerate(listening, start=1)
        }
        self.bus = Bus(",".join(node.bootstrap for node in self.nodes.values()))

    async def start(self) -> None:
        """Start all nodes and create the declared topics."""
        for node in self.nodes.values():
            node.launch()
        for node in self.nodes.values():
            node.wait_until_ready()
        await ensure_topics(self.bus.access, PARTITIONS, NODES)

    async def leader(self, keys: Iterable[str]) -> Node:
        """Return a node, not the first, that leads a partition of the facts with one of *keys*."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bus.bootstrap)
        await admin.start()
        try:
            (facts,) = await admin.describe_topics([FACTS.name])
        finally:
            await admin.close()
        leaders = {part["partition"]: part["leader"] for part in facts["partitions"]}
        used = {leaders[partition_of(key, PARTITIONS)] for key in keys}
        return self.nodes[max(used)]

    def kill(self) -> None:
        """Kill all nodes."""
        for node in self.nodes.values():
            node.kill()
