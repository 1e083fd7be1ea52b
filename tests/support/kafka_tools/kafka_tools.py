"""Kafka's own command-line tools, which procedures of the runbook name as `kafka-….sh`."""

import subprocess
from pathlib import Path

from deploy.local.servers.kafka import java_command
from tests.support import maven

PROJECT = Path(__file__).parent
PACKAGE = "org.apache.kafka.tools"
CLASSES = {
    "kafka-cluster.sh": f"{PACKAGE}.ClusterTool",
    "kafka-console-consumer.sh": f"{PACKAGE}.consumer.ConsoleConsumer",
    "kafka-features.sh": f"{PACKAGE}.FeatureCommand",
    "kafka-metadata-quorum.sh": f"{PACKAGE}.MetadataQuorumCommand",
    "kafka-reassign-partitions.sh": f"{PACKAGE}.reassign.ReassignPartitionsCommand",
    "kafka-topics.sh": f"{PACKAGE}.TopicCommand",
}
COMMAND_SECONDS = 120.0


class ToolFailedError(Exception):
    """A tool ended with an error; the message is what it printed."""


class KafkaTools:
    """The tools, from jars that are fetched into *folder*."""

    def __init__(self, folder: Path) -> None:
        maven.fetch_libraries(PROJECT, folder)
        self._jars = folder / "jars"

    def run(self, script: str, *arguments: str) -> str:
        """Run the tool that *script* would run and return what it prints; raise `ToolFailedError` if it fails."""
        command = (*java_command(self._jars), CLASSES[script], *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        if done.returncode != 0:
            raise ToolFailedError(f"{script} {arguments}: {done.stdout}{done.stderr}")
        return done.stdout
