"""The whole system on this machine: the local stack and the four services, each a process of its own.

Started in order, watched, stopped in reverse. It refuses to know what is published or posted.
"""

import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.process import pidfile
from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import LOOPBACK, Ports, PortSet, port_variable, require_free
from deploy.local.stack import Stack
from services.intake import api_keys_file

SECRET_BYTES = 32
PROBE_SECONDS = 2.5  # a readiness check itself may take two


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePorts(PortSet):
    """Where each service listens; each field is set by the variable DONDOC_<FIELD>_PORT."""

    rules: int = 8002
    intake: int = 8001
    notifier: int = 8003
    reporting: int = 8004


class Service(Daemon):
    """One service as a process; ready when its own `/readyz` says so."""

    def __init__(self, name: str, folder: Path, *, port: int, environment: Mapping[str, str]) -> None:
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        command = (sys.executable, "-m", f"services.{name}")
        super().__init__(
            Program(name=name, command=command, folder=folder, environment=environment, is_ready=self.is_ready)
        )

    def is_ready(self) -> bool:
        """Ask the service itself, by the plainest client: it is asked often, while others need the machine."""
        connection = HTTPConnection(LOOPBACK, self.port, timeout=PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


class System:
    """Stack and services with everything they keep below one folder."""

    def __init__(self, stack: Stack, listen: ServicePorts, *, clock: str, say: Callable[[str], None]) -> None:
        self.stack = stack
        self.ports = listen
        self._clock = clock
        self._say = say
        self._is_ours = False
        environment = self.environment()
        self.rules, self.intake, self.notifier, self.reporting = (
            Service(name, stack.folder, port=getattr(listen, name), environment=environment)
            for name in ("rules", "intake", "notifier", "reporting")
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_ours:
            return
        with _undisturbed():
            for service in reversed(self.services):
                service.stop()
            self.stack.stop()

    @property
    def services(self) -> tuple[Service, ...]:
        """The services in the order in which they start."""
        return self.rules, self.intake, self.notifier, self.reporting

    @property
    def keys_file(self) -> Path:
        """Where intake finds the keys of those who may post."""
        return self.stack.folder / "keys.json"

    def environment(self) -> dict[str, str]:
        """Return the settings by which the services find the stack and each other."""
        folder = self.stack.folder
        ports = {port_variable(field.name): str(getattr(self.ports, field.name)) for field in fields(self.ports)}
        return {
            **self.stack.environment(),
            **ports,
            "DONDOC_CLOCK": self._clock,
            "DONDOC_INTAKE_KEYS": str(self.keys_file),
            "DONDOC_INTAKE_SIGNING_KEYS": str(folder / "signing-keys.json"),
            "DONDOC_INTAKE_SPOOL": str(folder / "spool"),
            "DONDOC_INTAKE_ATTACHMENTS": str(folder / "attachments"),
            "DONDOC_INTAKE_RULES_URL": f"http://{LOOPBACK}:{self.ports.rules}",
            "DONDOC_FORM_KEY": _kept_secret(folder / "form.key"),
            "DONDOC_FORM_URL": os.environ.get("DONDOC_FORM_URL", f"http://{LOOPBACK}:{self.ports.intake}"),
            "DONDOC_NOTIFIER_SMTP_HOST": LOOPBACK,
            "DONDOC_NOTIFIER_SMTP_PORT": str(self.stack.ports.smtp),
            "DONDOC_NOTIFIER_SMPP_HOST": LOOPBACK,
            "DONDOC_NOTIFIER_SMPP_PORT": str(self.stack.ports.smpp),
        }

    def start_stack(self) -> None:
        """Start broker, database, mail server and SMS centre; raise `StackError` if a port is taken."""
        self.stack.start()  # first of all: its lock tells a leftover from a system that runs
        self._is_ours = True
        for service in self.services:
            if pidfile.kill_leftover(service.program.pid_file):
                self._say(f"{service.program.name:<9} of an interrupted run ended")
            require_free(service.program.name, service.port)

    def start_services(self) -> None:
        """Start the four services side by side and return when all are ready. What they read must be published."""
        for service in self.services:
            service.launch()
        for service in self.services:
            service.wait_until_ready()
            self._say(f"{service.program.name:<9} ready on {service.url}")

    def ended(self) -> Iterator[Daemon]:
        """Yield the processes that have ended by themselves."""
        stack = self.stack
        everything: tuple[Daemon, ...] = (stack.mongod, stack.kafka, stack.smtp, stack.smsc, *self.services)
        return (one for one in everything if not one.is_running)


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Raise `KeyboardInterrupt` on TERM as on Ctrl-C, so that everything below is stopped on the way out.

    INT is handled too, because a shell starts what is in the background with INT ignored.
    """
    before = {one: signal.signal(one, _interrupt) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no second signal interrupt the stopping."""
    before = {one: signal.signal(one, signal.SIG_IGN) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _kept_secret(path: Path) -> str:
    """Return the secret in *path*, made when it is first asked for: links in old mails go on opening the form."""
    if not path.exists():
        api_keys_file.replace(path, secrets.token_urlsafe(SECRET_BYTES).encode())
    return path.read_text("ascii")


def _interrupt(number: int, frame: object) -> None:
    del number, frame
    raise KeyboardInterrupt


def ports_of_environment() -> tuple[Ports, ServicePorts]:
    """Return all ports as the environment sets them."""
    return Ports.from_environment(os.environ), ServicePorts.from_environment(os.environ)
