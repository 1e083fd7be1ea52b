"""Broker, database, mail server and SMS centre together: started side by side, stopped in reverse, in one folder."""

import fcntl
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.errors import AlreadyRunningError
from deploy.local.process import pidfile
from deploy.local.process.daemon import Daemon
from deploy.local.process.ports import LOOPBACK, Ports, require_free
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.message_servers import Smsc, Smtp
from deploy.local.servers.mongod import Mongod

DEFAULT_HOME = ".dondoc"
SECURITY = tuple(
    f"DONDOC_KAFKA_{name}"
    for name in ("SECURITY_PROTOCOL", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "USERNAME", "PASSWORD_FILE")
)
"""What guards the way to another broker. The local one is open, to this machine alone."""


class Stack:
    """The whole local stack with its data, logs and process ids below *folder*.

    Start it from a thread that lives as long as the stack should: the kernel ends the programs with that thread.
    """

    def __init__(self, folder: Path, listen: Ports, *, jars: Path, say: Callable[[str], None] = print) -> None:
        self.folder = folder
        self.ports = listen
        self.kafka = Kafka(folder, jars=jars, port=listen.kafka, controller_port=listen.kafka_controller)
        self.mongod = Mongod(folder, port=listen.mongo)
        self.smtp = Smtp(folder, port=listen.smtp, web_port=listen.mailbox)
        self.smsc = Smsc(folder, port=listen.smpp)
        self._say = say
        self._lock: int | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when all of it is ready; on any failure leave nothing running."""
        self._take_lock()
        try:
            self._end_leftovers()
            self._refuse_taken_ports()
            began = time.monotonic()
            for daemon, _ in self._programs():
                daemon.launch()
            for daemon, place in self._programs():
                daemon.wait_until_ready()
                self._say(f"{daemon.program.name:<7} ready on {place} after {time.monotonic() - began:.1f} s")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, what depends on others first."""
        for daemon, _ in reversed(self._programs()):
            daemon.stop()
        self._drop_lock()

    def environment(self) -> dict[str, str]:
        """Name this stack to a service in the variables it reads, and put out those meant for another broker."""
        return {
            "DONDOC_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "DONDOC_MONGO_URL": self.mongod.url,
            **dict.fromkeys(SECURITY, ""),
        }

    def _programs(self) -> tuple[tuple[Daemon, str], ...]:
        return (
            (self.mongod, self.mongod.host),
            (self.smtp, f"{LOOPBACK}:{self.ports.smtp}, mailbox {self.smtp.page}"),
            (self.smsc, f"{LOOPBACK}:{self.ports.smpp}"),
            (self.kafka, self.kafka.bootstrap),
        )

    def _take_lock(self) -> None:
        """Claim the folder; the lock is the kernel's, so it goes with the process however that ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise AlreadyRunningError(f"a stack runs in {self.folder} already; `make down` stops it") from error
        self._lock = lock
        pidfile.write(owner_file(self.folder), os.getpid())

    def _drop_lock(self) -> None:
        if self._lock is not None:
            owner_file(self.folder).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _end_leftovers(self) -> None:
        for daemon, _ in self._programs():
            if pidfile.kill_leftover(daemon.program.pid_file):
                self._say(f"{daemon.program.name:<7} of an interrupted run ended")

    def _refuse_taken_ports(self) -> None:
        for name in self.ports.__dataclass_fields__:
            require_free(name, getattr(self.ports, name))


def owner_file(folder: Path) -> Path:
    """Name the file that tells which process holds the stack in *folder*."""
    return folder / "owner"


def home() -> Path:
    """Find the folder for everything the stack keeps: DONDOC_HOME, or .dondoc where the command was given."""
    return Path(os.environ.get("DONDOC_HOME", DEFAULT_HOME)).absolute()


def jars() -> Path:
    """Find the broker's jars, which `make setup` put below the home folder."""
    return home() / "kafka" / "jars"


def print_progress(line: str) -> None:
    """Print one line of progress to the terminal's talk channel."""
    print(line, file=sys.stderr, flush=True)
