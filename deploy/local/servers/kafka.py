"""The real Kafka broker as one child process: its one-time format, its configuration, and when it can be used."""

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

HERE = Path(__file__).parents[1]
CLUSTER_ID = "ZG9uZG9jLWxvY2FsLTAwMQ"  # any fixed one: the data folder, not the name, tells clusters apart
API_VERSIONS_REQUEST = struct.pack(
    ">hhih", 18, 0, 1, -1
)  # the smallest question a broker answers: key, version, id, no client
PROBE_SECONDS = 1.0
QUICK_JVM = ("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""C1 alone starts in half the time; the heap is ample for one year of one province and for the tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One more way into the broker, on *port*, with *settings* of its own in Kafka's words.

    Its clients are sent to *advertised_port*: the port itself, or that of something which passes them on. A client follows the
    addresses that a broker advertises, so a proxy in front of the usual port would be left aside.
    """

    name: str
    port: int
    advertised_port: int
    protocol: str = "PLAINTEXT"
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """Where a client begins that shall go this way."""
        return f"{ports.LOOPBACK}:{self.advertised_port}"

    def lines(self) -> str:
        """Return its settings as lines of the broker's configuration."""
        return "".join(f"listener.name.{self.name.lower()}.{name}={value}\n" for name, value in self.settings.items())


class Kafka(Daemon):
    """A one-node broker on 127.0.0.1 with its data in *folder*, and with *extra_listeners* besides the usual one."""

    jvm: ClassVar[Sequence[str]] = QUICK_JVM

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
        self._format_once()
        self._configure(self._data)
        super().launch()

    def _format_once(self) -> None:
        """Format under another name, then move, so that a killed format is never taken for a finished one."""
        if self._data.exists():
            return
        fresh = self._data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._configure(fresh)
        command = (
            *java_command(self._jars),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            CLUSTER_ID,
            "-c",
            str(self._configuration),
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ProgramDiedError(f"Kafka's data folder could not be formatted:\n{done.stdout}{done.stderr}")
        fresh.rename(self._data)

    def _configure(self, data: Path) -> None:
        template = string.Template((HERE / "server.properties").read_text(encoding="utf-8"))
        text = template.substitute(
            port=self.port,
            controller_port=self.controller_port,
            data=data,
            also_listens="".join(f",{one.name}://{ports.LOOPBACK}:{one.port}" for one in self._extra_listeners),
            also_advertised="".join(f",{one.name}://{one.bootstrap}" for one in self._extra_listeners),
            also_speaks="".join(f",{one.name}:{one.protocol}" for one in self._extra_listeners),
            settings_extra_listeners="".join(one.lines() for one in self._extra_listeners),
        )
        self._configuration.write_text(text, encoding="utf-8")

    def _answers(self) -> bool:
        """Ask for the API versions: the port opens early, but requests are answered only by a broker in service."""
        try:
            with socket.create_connection((ports.LOOPBACK, self.port), timeout=PROBE_SECONDS) as connection:
                connection.sendall(struct.pack(">i", len(API_VERSIONS_REQUEST)) + API_VERSIONS_REQUEST)
                return len(connection.recv(4)) > 0
        except OSError:
            return False


def java_command(jars: Path, jvm: Sequence[str] = QUICK_JVM) -> tuple[str, ...]:
    """Return the beginning of a command that runs a class out of *jars*; raise `ProgramMissingError` without Java."""
    java = shutil.which("java")
    if java is None:
        raise ProgramMissingError("java is not installed; `make setup` names the package")
    return (java, *jvm, f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}", "-cp", f"{jars}/*")
