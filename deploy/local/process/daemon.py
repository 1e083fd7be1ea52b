"""Run a program as a child process in its own process group: start, await readiness, stop, kill, pause.

It knows nothing of what the program does. On Linux the kernel kills the child when the thread that started it ends
(prctl(2), PR_SET_PDEATHSIG), so that not even a kill -9 of the parent leaves a process behind.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from deploy.local.errors import ProgramDiedError, ProgramSlowError
from deploy.local.process import pidfile

POLL_SECONDS = 0.02  # short compared with the fastest start here, the mail server's
LOG_TAIL_LINES = 12
SECRET_ENDINGS = ("_KEY", "_KEY_FILE", "_PASSWORD", "_PASSWORD_FILE", "_SECRET", "_TOKEN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program: its command, the folder of its log and pid file, and how to check that it is ready."""

    name: str
    command: tuple[str, ...]
    folder: Path
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    secret_prefixes: tuple[str, ...] = ()
    """Beginnings of the variables that the program inherits although they hold secrets; it gets no other such one."""
    start_timeout_seconds: float = 60.0
    stop_timeout_seconds: float = 20.0

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"


class ChildProcess(Protocol):
    """What a daemon needs of its process: a `subprocess.Popen`, or what behaves like one."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...


class Daemon:
    """One program as a child process. Every method is idempotent."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._child: ChildProcess | None = None

    @property
    def pid(self) -> int:
        """The process id; raise `ProgramDiedError` if the program does not run."""
        if self._child is None or self._child.poll() is not None:
            raise ProgramDiedError(f"{self.program.name} does not run")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the program and return when it is ready."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the program without waiting until it is ready; first kill what a lost earlier run left behind."""
        if self.is_running:
            return
        self.program.folder.mkdir(parents=True, exist_ok=True)
        pidfile.kill_leftover(self.program.pid_file)
        environment = {**_inherited_variables(self.program.secret_prefixes), **self.program.environment}
        self._child = self._spawn(environment)
        pidfile.write(self.program.pid_file, self._child.pid)

    def _spawn(self, environment: Mapping[str, str]) -> ChildProcess:
        with self.program.log.open("ab") as log:
            return subprocess.Popen(
                _with_parent_death_signal(self.program.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return when the program is ready; raise if it exits before that or is not ready in time."""
        deadline = time.monotonic() + self.program.start_timeout_seconds
        while not self.program.is_ready():
            if not self.is_running:
                raise ProgramDiedError(f"{self.program.name} ended while starting:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                timeout = self.program.start_timeout_seconds
                raise ProgramSlowError(
                    f"{self.program.name} was not ready after {timeout:.0f} s; see {self.program.log}"
                )
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Send SIGTERM, and kill the process group if the program has not ended after its stop timeout."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        try:
            self._wait(self.program.stop_timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self.program.pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill the process group with SIGKILL."""
        self._signal(signal.SIGKILL)
        self._wait(None)

    def pause(self) -> None:
        """Suspend the program (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume a suspended program (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def restart(self) -> None:
        """Stop gracefully and start again on the same data and port."""
        self.stop()
        self.start()

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.poll() is None:
            os.killpg(self._child.pid, number)

    def _wait(self, seconds: float | None) -> None:
        if self._child is not None:
            self._child.wait(seconds)

    def _log_tail(self) -> str:
        text = self.program.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])


def _inherited_variables(secret_prefixes: tuple[str, ...]) -> dict[str, str]:
    """Return the variables of this process without the secrets of others, by the usual ends of their names."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(SECRET_ENDINGS) or name.startswith(secret_prefixes)
    }


def _with_parent_death_signal(command: tuple[str, ...]) -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--", *command) if setpriv else command
