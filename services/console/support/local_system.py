"""Runs the whole system on this machine: the local stack and the four services, each as a process of its own.

The processes are started in order and stopped in reverse. What is published or posted is not known here.
"""

import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.process import pidfile
from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import LOOPBACK, Ports, PortSet, port_variable, require_free
from deploy.local.stack import Stack
from services.console.support import key_scopes, seeding
from services.runtime import secret_files

SECRET_BYTES = 32

# The variables with secrets that a service may inherit besides its own: of broker, database and object store.
SHARED_SECRETS = ("DONDOC_KAFKA_", "DONDOC_MONGO_")
STORE_SECRETS = {"intake": ("AWS_",)}
REPORTING_SYSTEM = "reporting"  # by which the file of keys calls it, as intake's audit lines do
LINK_REVOCATIONS = "link-revocations.json"
PROBE_SECONDS = 2.5  # the readiness check of a service may itself take two seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePorts(PortSet):
    """The port of each service; each field is set by the variable DONDOC_<FIELD>_PORT."""

    rules: int = 8002
    intake: int = 8001
    notifier: int = 8003
    reporting: int = 8004


class ServiceProcess(Daemon):
    """One service as a process; it is ready when its `/readyz` answers 200."""

    def __init__(self, name: str, folder: Path, *, port: int, environment: Mapping[str, str]) -> None:
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        command = (sys.executable, "-m", f"services.{name}")
        super().__init__(
            Program(
                name=name,
                command=command,
                folder=folder,
                environment=environment,
                secret_prefixes=(f"DONDOC_{name.upper()}_", *SHARED_SECRETS, *STORE_SECRETS.get(name, ())),
                is_ready=self.is_ready,
            )
        )

    def is_ready(self) -> bool:
        """Ask the service's `/readyz`.

        The standard library's client is used because the question is asked often while other processes start: it costs
        less processor time than httpx.
        """
        connection = HTTPConnection(LOOPBACK, self.port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class LocalSystem:
    """The local stack and the services, with all their files below one folder.

    A context manager: on leaving it stops what it started, and nothing if another instance owns the folder.
    """

    def __init__(self, stack: Stack, listen: ServicePorts, *, clock: str, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.ports = listen
        self._clock = clock
        self._say = say
        self._is_ours = False
        self.rules, self.intake, self.notifier, self.reporting = (
            ServiceProcess(name, stack.folder, port=getattr(listen, name), environment=self._environment_of(name))
            for name in ("rules", "intake", "notifier", "reporting")
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_ours:  # the stack's lock was not won: another instance runs in this folder
            return
        # In reverse, so that no service logs errors about a broker or database that is gone already.
        with _ignore_signals():
            for service in reversed(self.services):
                service.stop()
            self.stack.stop()

    @property
    def services(self) -> tuple[ServiceProcess, ...]:
        """The services in the order in which they start."""
        return self.rules, self.intake, self.notifier, self.reporting

    @property
    def keys_file(self) -> Path:
        """The file of API keys that intake reads."""
        return self.stack.folder / "keys.json"

    @property
    def readers_file(self) -> Path:
        """The file of readers that reporting reads."""
        return self.stack.folder / "readers.json"

    def create_reporting_key(self, now: datetime) -> None:
        """Make the key with which reporting posts the officer's answers; before it starts, because it reads it then."""
        seeding.load_or_create_key(REPORTING_SYSTEM, self.keys_file, key_scopes.REPORTING_SCOPE, now=now)

    def _environment_of(self, service: str) -> dict[str, str]:
        """Return the settings by which *service* finds the stack and the other services.

        A service gets the secrets that it needs, and those alone, as files.
        """
        ports = {port_variable(field.name): str(getattr(self.ports, field.name)) for field in fields(self.ports)}
        own = {
            "intake": self._intake_environment,
            "rules": self._rules_environment,
            "notifier": self._notifier_environment,
            "reporting": self._reporting_environment,
        }.get(service, dict)
        return {**self.stack.environment(), **ports, "DONDOC_CLOCK": self._clock, **own()}

    def _rules_environment(self) -> dict[str, str]:
        return {"DONDOC_DRY_RUN_KEY_FILE": str(_create_secret_once(self.stack.folder / "dry-run.key"))}

    def _intake_environment(self) -> dict[str, str]:
        folder = self.stack.folder
        return {
            "DONDOC_INTAKE_KEYS": str(self.keys_file),
            "DONDOC_INTAKE_SIGNING_KEYS": str(folder / "signing-keys.json"),
            "DONDOC_INTAKE_SPOOL": str(folder / "spool"),
            "DONDOC_INTAKE_LINK_REVOCATIONS": str(folder / LINK_REVOCATIONS),
            "DONDOC_INTAKE_RULES_URL": f"http://{LOOPBACK}:{self.ports.rules}",
            "DONDOC_FORM_KEY_FILE": str(_create_secret_once(folder / "form.key")),
            **self._rules_environment(),
            **self._attachments_environment(),
        }

    def _attachments_environment(self) -> dict[str, str]:
        return {"DONDOC_INTAKE_ATTACHMENTS": str(self.stack.folder / "attachments")}

    def _reporting_environment(self) -> dict[str, str]:
        folder = self.stack.folder
        return {
            "DONDOC_REPORTING_READERS": str(self.readers_file),
            "DONDOC_REPORTING_LINK_REVOCATIONS": str(folder / LINK_REVOCATIONS),
            "DONDOC_DASHBOARD_KEY_FILE": str(_create_secret_once(folder / "dashboard.key")),
            "DONDOC_REPORTING_INTAKE_URL": f"http://{LOOPBACK}:{self.ports.intake}",
            "DONDOC_REPORTING_INTAKE_KEY_FILE": str(self.keys_file.with_name(f"{REPORTING_SYSTEM}.key")),
            **self._attachments_environment(),
        }

    def _notifier_environment(self) -> dict[str, str]:
        return {
            "DONDOC_DASHBOARD_KEY_FILE": str(_create_secret_once(self.stack.folder / "dashboard.key")),
            "DONDOC_DASHBOARD_URL": os.environ.get("DONDOC_DASHBOARD_URL", f"http://{LOOPBACK}:{self.ports.reporting}"),
            "DONDOC_FORM_KEY_FILE": str(_create_secret_once(self.stack.folder / "form.key")),
            "DONDOC_FORM_URL": os.environ.get("DONDOC_FORM_URL", f"http://{LOOPBACK}:{self.ports.intake}"),
            "DONDOC_NOTIFIER_SMTP_HOST": LOOPBACK,
            "DONDOC_NOTIFIER_SMTP_PORT": str(self.stack.ports.smtp),
            "DONDOC_NOTIFIER_SMPP_HOST": LOOPBACK,
            "DONDOC_NOTIFIER_SMPP_PORT": str(self.stack.ports.smpp),
        }

    def start_stack(self) -> None:
        """Start broker, database, mail server and SMS centre; raise `StackError` if a port is taken."""
        self.stack.start()  # first, because its lock tells leftover processes from a system that is running
        self._is_ours = True
        # A service of an interrupted run may be left; it would hold its port and its consumer group's partitions.
        for service in self.services:
            if pidfile.kill_leftover(service.program.pid_file):
                self._say(f"{service.program.name:<9} of an interrupted run ended")
            require_free(service.program.name, service.port)

    def start_services(self) -> None:
        """Start the four services side by side and return when all are ready.

        The plan and registry must be published before, because readiness waits for them.
        """
        for service in self.services:
            service.launch()
        for service in self.services:
            service.wait_until_ready()
            self._say(f"{service.program.name:<9} ready on {service.url}")

    def find_exited(self) -> Iterator[Daemon]:
        """Yield the processes of the stack and the services that are not running."""
        stack = self.stack
        everything: tuple[Daemon, ...] = (stack.mongod, stack.kafka, stack.smtp, stack.smsc, *self.services)
        return (one for one in everything if not one.is_running)


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Raise `KeyboardInterrupt` on TERM as on Ctrl-C, so that everything below is stopped on the way out.

    INT is handled too, because a shell starts what is in the background with INT ignored.
    """
    before = {one: signal.signal(one, _raise_interrupt) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _ignore_signals() -> Iterator[None]:
    """Ignore INT and TERM, so that a second signal does not interrupt the stopping."""
    before = {one: signal.signal(one, signal.SIG_IGN) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _create_secret_once(path: Path) -> Path:
    """Return *path* after creating a secret in it, if there is none: links in old mails stay valid with the old one."""
    if not path.exists():
        secret_files.replace_file(path, secrets.token_urlsafe(SECRET_BYTES).encode())
    return path


def _raise_interrupt(number: int, frame: object) -> None:
    del number, frame
    raise KeyboardInterrupt


def read_ports() -> tuple[Ports, ServicePorts]:
    """Read all ports from the environment."""
    return Ports.from_environment(os.environ), ServicePorts.from_environment(os.environ)
