"""The client's end of `service_template`: a forked process that a daemon handles like a `subprocess.Popen`."""

import socket
import subprocess
import sys
from pathlib import Path

from deploy.local.process.daemon import Daemon, Program
from tests.support.processes.service_template import StartRequest


class ForkedProcess:
    """A process that the template has forked."""

    def __init__(self, template: Path, request: StartRequest) -> None:
        self._request = request
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(template))
        self._connection.sendall(request.encode())
        with self._connection.makefile("rb", buffering=0) as lines:  # the exit status may follow at once
            self.pid = int(lines.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status; raise `TimeoutExpired` if the process still runs after *timeout* seconds."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                received = self._connection.recv(32)
            except (BlockingIOError, TimeoutError) as cause:
                raise subprocess.TimeoutExpired(self._request.module, timeout or 0.0) from cause
            self.returncode = int(
                received or b"-9"
            )  # without an answer the template was killed, and the process with it
            self._connection.close()
        return self.returncode


class TemplateProcess(Daemon):
    """The template as a process, started when the first service is."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "template.socket"
        command = (sys.executable, "-m", "tests.support.processes.service_template", str(self.socket))
        super().__init__(Program(name="template", command=command, folder=folder, is_ready=self.socket.exists))
