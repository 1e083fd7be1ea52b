"""Kafka Connect with MongoDB's own sink as the peer that reporting is compared with: one document for each record.

It replaces by the event's id, as the sink does where a record may come twice.
"""

from pathlib import Path

from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import LOOPBACK, free_ports
from schemas.events.topics import VERDICTS
from tests.support import maven

PROJECT = Path(__file__).parent / "kafka_connect"
COLLECTION = "connect"
_CONVERTER = "org.apache.kafka.connect.storage.StringConverter"
_STRATEGIES = "com.mongodb.kafka.connect.sink"
_WORKER = {
    "key.converter": _CONVERTER,
    "value.converter": _CONVERTER,
    "connector.client.config.override.policy": "All",
    "plugin.discovery": "only_scan",
}
_SINK = {
    "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
    "tasks.max": "1",
    "topics": VERDICTS.name,
    "collection": COLLECTION,
    "document.id.strategy": f"{_STRATEGIES}.processor.id.strategy.PartialValueStrategy",
    "document.id.strategy.partial.value.projection.list": "id",
    "document.id.strategy.partial.value.projection.type": "AllowList",
    "writemodel.strategy": f"{_STRATEGIES}.writemodel.strategy.ReplaceOneDefaultStrategy",
    "bulk.write.ordered": "false",
    "consumer.override.auto.offset.reset": "earliest",
    "consumer.override.fetch.min.bytes": "1000000",
}


class KafkaConnectPeer(Daemon):
    """A standalone worker with one task, which reads the topic of verdicts in batches of *batch* records.

    Its consumer group is named after the last part of *folder*: a worker in another one reads from the beginning.
    """

    def __init__(self, folder: Path, bootstrap: str, *, url: str, database: str, batch: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_ports(1)[0]
        worker = {
            **_WORKER,
            "bootstrap.servers": bootstrap,
            "offset.storage.file.filename": str(folder / "offsets"),
            "listeners": f"http://{LOOPBACK}:{port}",
        }
        place = {
            "name": folder.name,
            "connection.uri": url,
            "database": database,
            "consumer.override.max.poll.records": str(batch),
        }
        files = [
            _write_properties(folder / "worker.properties", worker),
            _write_properties(folder / "sink.properties", {**_SINK, **place}),
        ]
        command = (
            "java",
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-cp",
            maven.fetch_libraries(PROJECT, folder),
            "org.apache.kafka.connect.cli.ConnectStandalone",
            *files,
        )
        super().__init__(Program(name="kafka-connect", command=command, folder=folder, is_ready=lambda: True))


def _write_properties(path: Path, properties: dict[str, str]) -> str:
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), encoding="utf-8")
    return str(path)
