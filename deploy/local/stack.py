"""The local stack: Kafka, MongoDB, mail server and SMS centre, started in parallel and stopped in reverse order."""

import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.home import home
from deploy.local.errors import AlreadyRunningError
from deploy.local.process import pidfile
from deploy.local.process.daemon import Daemon
from deploy.local.process.ports import LOOPBACK, Ports, require_free
from deploy.local.servers.kafka import Kafka
from deploy.local.servers.message_servers import Smsc, Smtp
from deploy.local.servers.mongod import Mongod

OTHERS = 0o077  # the permissions of group and others, which no file of the stack has

# The variables that secure the connection to another broker. The local one is open, but only to this machine.
SECURITY = tuple(
    f"DONDOC_KAFKA_{name}"
    for name in ("SECURITY_PROTOCOL", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "USERNAME", "PASSWORD_FILE")
)


class Stack:
    """The local stack with its data, logs and process ids below *folder*.

    Start it from a thread that lives as long as the stack should: when that thread ends, the kernel kills the programs.
    """

    def __init__(self, folder: Path, listen: Ports, *, jars: Path, say: Callable[[str], None] = print) -> None:
        # Mails and SMS of the stack hold links that anybody may use, and logs tell who was late: only their owner reads
        # them. The first folders are made below, and every process of the stack inherits the mask.
        os.umask(OTHERS)
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
        """Start every program and return when all are ready; on any failure leave nothing running."""
        self._acquire_lock()
        try:
            self._kill_leftovers()
            self._require_free_ports()
            started = time.monotonic()
            for daemon, _ in self._programs():
                daemon.launch()
            for daemon, address in self._programs():
                daemon.wait_until_ready()
                self._say(f"{daemon.program.name:<7} ready on {address} after {time.monotonic() - started:.1f} s")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every program in reverse order of the start."""
        for daemon, _ in reversed(self._programs()):
            daemon.stop()
        self._release_lock()

    def environment(self) -> dict[str, str]:
        """Return the variables that connect a service to this stack; those that secure another broker are emptied."""
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

    def _acquire_lock(self) -> None:
        """Lock the folder with flock(2): the kernel releases the lock when the process ends, however it ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(stat.S_IRWXU)  # also a folder of an earlier version, whose files others may read
        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise AlreadyRunningError(f"a stack runs in {self.folder} already; `make down` stops it") from error
        self._lock = lock
        pidfile.write(owner_file(self.folder), os.getpid())

    def _release_lock(self) -> None:
        if self._lock is not None:
            owner_file(self.folder).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _kill_leftovers(self) -> None:
        for daemon, _ in self._programs():
            if pidfile.kill_leftover(daemon.program.pid_file):
                self._say(f"{daemon.program.name:<7} of an interrupted run ended")

    def _require_free_ports(self) -> None:
        for name in self.ports.__dataclass_fields__:
            require_free(name, getattr(self.ports, name))


def owner_file(folder: Path) -> Path:
    """Return the pid file of the process that runs the stack in *folder*."""
    return folder / "owner"


def jars() -> Path:
    """Return the folder of the broker's jars, which `make setup` fills."""
    return home() / "kafka" / "jars"


def print_progress(line: str) -> None:
    """Print one line of progress on standard error."""
    print(line, file=sys.stderr, flush=True)
