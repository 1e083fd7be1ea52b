"""Services as processes of their own: started, asked, stopped, killed, paused, with faults planted if wanted."""

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from deploy.local.process.daemon import ChildProcess
from deploy.local.process.ports import LOOPBACK, free_ports, port_variable
from services.console.support import local_system
from tests.support.assertions.eventually import eventually
from tests.support.processes.forked_process import ForkedProcess
from tests.support.processes.service_template import StartRequest


class Service(local_system.ServiceProcess):
    """One service on a free port of this machine; its log lies in *folder*.

    It is forked from the process that listens on *template*, or without one started by its command.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        environment: Mapping[str, str],
        template: Path | None = None,
        faults: Sequence[str] = (),
    ) -> None:
        port = free_ports(1)[0]
        super().__init__(name, folder, port=port, environment={**environment, port_variable(name): str(port)})
        self._template = template
        if faults:
            command = (sys.executable, "-m", "tests.support.faults.faulty_process", *faults, "--", f"services.{name}")
            self.program = replace(self.program, command=command)

    def _spawn(self, environment: Mapping[str, str]) -> ChildProcess:
        if self._template is None:
            return super()._spawn(environment)
        _, _, module, *arguments = self.program.command
        self.program.log.touch()  # a test may read it before the process opens it
        log = str(self.program.log)
        request = StartRequest(module=module, arguments=tuple(arguments), environment=dict(environment), log=log)
        return ForkedProcess(self._template, request)

    def answers(self) -> bool:
        """Whether the service serves HTTP."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0):
                return True
        except OSError:
            return False

    def is_ready(self) -> bool:
        """Whether all checks hold that hold in a system without rules: a test publishes its verdicts later."""
        checks = self.readiness()
        return bool(checks) and all(holds for name, holds in checks.items() if name != "assessments")

    def readiness(self) -> dict[str, bool]:
        """Return the checks of `/readyz`; none while the service does not answer."""
        connection = HTTPConnection(LOOPBACK, self.port, timeout=local_system.PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, HTTPException):
            return {}
        finally:
            connection.close()
        return {name: holds for name, holds in answer.items() if isinstance(holds, bool)}

    async def wait_until_ended(self, *, timeout: float = 60.0) -> None:
        """Wait until the process is gone, as a planted kill makes it."""
        await eventually(lambda: not self.is_running, f"{self.program.name} ended", timeout=timeout)

    @property
    def exit_status(self) -> int | None:
        """The status with which the process ended; None while it runs."""
        return None if self._child is None else self._child.poll()

    def children(self) -> list[int]:
        """The process ids of what it has started and what still runs: its workers, if it is an intake."""
        stats = (path.read_text(encoding="utf-8") for path in Path("/proc").glob("[0-9]*/stat"))
        pairs = ((int(stat.partition(" ")[0]), int(stat.rpartition(")")[2].split()[1])) for stat in stats)
        return [child for child, parent in pairs if parent == self.pid]

    def cpu_seconds(self) -> float:
        """Processor time that the service and its children have used."""
        ticks = os.sysconf("SC_CLK_TCK")
        stats = (Path(f"/proc/{pid}/stat").read_text(encoding="utf-8") for pid in (self.pid, *self.children()))
        return sum(sum(map(int, stat.rpartition(")")[2].split()[11:13])) for stat in stats) / ticks

    def read_metric(self, series: str) -> float:
        """Return the value of one series of the service's metrics, which is named with its labels."""
        with urlopen(f"{self.url}/metrics", timeout=5.0) as answer:  # noqa: S310 # loopback
            lines = answer.read().decode().splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == series)

    def log_lines(self) -> list[dict[str, Any]]:
        """Read the log lines that are JSON, in order."""
        lines = self.program.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


Launch = Callable[..., Service]


class Launcher:
    """Starts services for one test with a common environment, and ends them all with it.

    *template* is the socket of the process that they are forked from; without one they are started by their commands.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *, template: Path | None) -> None:
        self._folder = folder
        self._template = template
        self._environment = environment
        self._services: list[Service] = []

    def __call__(self, name: str, *, faults: Sequence[str] = (), ready: bool = True, **settings: str) -> Service:
        """Start `services.<name>`; each of *settings* is an environment variable. With `ready=False` do not wait."""
        folder = self._folder / f"{name}-{len(self._services)}"
        environment = {**self._environment, **settings}
        service = Service(name, folder, environment=environment, template=self._template, faults=faults)
        self._services.append(service)
        service.launch()
        if ready:
            service.wait_until_ready()
        return service

    @property
    def services(self) -> Sequence[Service]:
        """All that were started, those that have ended included."""
        return self._services

    def end(self) -> None:
        """Stop whatever still runs, the last started first."""
        for service in reversed(self._services):
            service.stop()
