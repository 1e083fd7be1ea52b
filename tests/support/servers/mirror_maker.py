"""The real MirrorMaker 2, which copies the topics that the runbook names from one broker to another."""

from pathlib import Path

from deploy.local.process.daemon import Daemon, Program
from deploy.local.servers.kafka import java_command
from tests.support import maven

PROJECT = Path(__file__).parents[1] / "mirror"
TOPICS = r"dondoc\.(facts|deliveries|reports|references)\.v1.*"
"""Those of the runbook: rules makes the others anew."""

_SETTINGS = {
    "clusters": "first, second",
    "first->second.enabled": "true",
    "second->first.enabled": "false",
    "first->second.topics": TOPICS.replace("\\", r"\\"),  # a backslash escapes in a file of properties
    "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
    "replication.factor": "1",
    "offset-syncs.topic.replication.factor": "1",
    "config.storage.replication.factor": "1",
    "offset.storage.replication.factor": "1",
    "status.storage.replication.factor": "1",
    "emit.checkpoints.enabled": "false",
    "emit.heartbeats.enabled": "false",
    "refresh.topics.interval.seconds": "2",
    "dedicated.mode.enable.internal.rest": "false",
    "first.consumer.isolation.level": "read_committed",
    "consumer.isolation.level": "read_committed",
}


class MirrorMaker(Daemon):
    """Copies from the broker at *source* to that at *target* while it runs; its jars come from the registry."""

    def __init__(self, folder: Path, *, source: str, target: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "mirror.properties"
        settings = {**_SETTINGS, "first.bootstrap.servers": source, "second.bootstrap.servers": target}
        configuration.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        maven.fetch_libraries(PROJECT, folder)
        command = (*java_command(folder / "jars"), "org.apache.kafka.connect.mirror.MirrorMaker", str(configuration))
        super().__init__(Program(name="mirror-maker", command=command, folder=folder, is_ready=lambda: True))
