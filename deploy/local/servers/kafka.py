"""A real Kafka broker as a child process: format its data folder once, configure it, and check that it is ready."""

import shutil
import socket
import string
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from deploy.local.errors import ProgramDiedError, ProgramMissingError
from deploy.local.process import ports
from deploy.local.process.daemon import Daemon, Program

STACK_FOLDER = Path(__file__).parents[1]
CLUSTER_ID = "ZG9uZG9jLWxvY2FsLTAwMQ"  # any fixed id will do: clusters are told apart by their data folders
API_VERSIONS_REQUEST = struct.pack(
    ">hhih", 18, 0, 1, -1
)  # the smallest request that a broker answers: API key, version, correlation id, no client id
PROBE_SECONDS = 1.0

# With the C1 compiler alone it starts in half the time. The heap is ample for a year of one province and the tests.
QUICK_JVM = ("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """An additional listener of the broker on *port*, with its own *settings* (names as in Kafka's configuration).

    *advertised_port* is the port itself or that of a proxy in front of it. Clients connect to the addresses that a
    broker advertises, so they would bypass a proxy in front of the usual port.
    """

    name: str
    port: int
    advertised_port: int
    protocol: str = "PLAINTEXT"
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """The bootstrap server for clients of this listener."""
        return f"{ports.LOOPBACK}:{self.advertised_port}"

    def properties(self) -> str:
        """Return its settings as lines of the broker's configuration."""
        return "".join(f"listener.name.{self.name.lower()}.{name}={value}\n" for name, value in self.settings.items())


class Kafka(Daemon):
    """A single-node broker on 127.0.0.1 with its data in *folder*, and *extra_listeners* besides the usual one."""

    jvm: ClassVar[Sequence[str]] = QUICK_JVM
    format_options: Sequence[str] = ()

    def __init__(
        self, folder: Path, *, jars: Path, port: int, controller_port: int, extra_listeners: Sequence[Listener] = ()
    ) -> None:
        self.port = port
        self.controller_port = controller_port
        self.bootstrap = f"{ports.LOOPBACK}:{port}"
        self._extra_listeners = extra_listeners
        self._jars = jars
        self._data = folder / "kafka"
        self._configuration = folder / "kafka.properties"
        command = (*java_command(jars, self.jvm), "kafka.Kafka", str(self._configuration))
        super().__init__(Program(name="kafka", command=command, folder=folder, is_ready=self._answers))

    def launch(self) -> None:
        if self.is_running:
            return
        if not any(self._jars.glob("kafka_*.jar")):
            raise ProgramMissingError(f"no Kafka jars in {self._jars}; run `make setup`")
        self.program.folder.mkdir(parents=True, exist_ok=True)
        self._format_data_folder()
        self._write_configuration(self._data)
        super().launch()

    def _format_data_folder(self) -> None:
        """Format the data folder unless that is done. It is formatted under another name and renamed when finished."""
        if self._data.exists():
            return
        fresh = self._data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._write_configuration(fresh)
        command = (
            *java_command(self._jars),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            CLUSTER_ID,
            "-c",
            str(self._configuration),
            *self.format_options,
        )
        formatting = subprocess.run(command, capture_output=True, text=True, check=False)
        if formatting.returncode != 0:
            raise ProgramDiedError(
                f"Kafka's data folder could not be formatted:\n{formatting.stdout}{formatting.stderr}"
            )
        fresh.rename(self._data)

    def _write_configuration(self, data: Path) -> None:
        template = string.Template((STACK_FOLDER / "server.properties").read_text(encoding="utf-8"))
        text = template.substitute(
            port=self.port,
            controller_port=self.controller_port,
            data=data,
            extra_listener_addresses="".join(
                f",{one.name}://{ports.LOOPBACK}:{one.port}" for one in self._extra_listeners
            ),
            extra_advertised_addresses="".join(f",{one.name}://{one.bootstrap}" for one in self._extra_listeners),
            extra_protocols="".join(f",{one.name}:{one.protocol}" for one in self._extra_listeners),
            extra_settings="".join(one.properties() for one in self._extra_listeners),
        )
        self._configuration.write_text(text, encoding="utf-8")

    def _answers(self) -> bool:
        """Send an ApiVersions request: the port opens early, but only a broker that is ready answers."""
        try:
            with socket.create_connection((ports.LOOPBACK, self.port), timeout=PROBE_SECONDS) as connection:
                connection.sendall(struct.pack(">i", len(API_VERSIONS_REQUEST)) + API_VERSIONS_REQUEST)
                return len(connection.recv(4)) > 0
        except OSError:
            return False


def java_command(jars: Path, jvm: Sequence[str] = QUICK_JVM) -> tuple[str, ...]:
    """Return the beginning of a command that runs a class in *jars*; raise `ProgramMissingError` without Java."""
    java_command = shutil.which("java")
    if java_command is None:
        raise ProgramMissingError("java is not installed; `make setup` names the package")
    return (java_command, *jvm, f"-Dlog4j2.configurationFile={STACK_FOLDER / 'log4j2.properties'}", "-cp", f"{jars}/*")
