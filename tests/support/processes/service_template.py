"""Starts services quickly: a process that has imported all of them, and forks itself for each start.

Importing a service takes one to two seconds of processor time, and a test run starts hundreds of them. A forked service
is a process of its own all the same, with its own process group, environment, log and signals.

Use: `python -m tests.support.processes.service_template SOCKET`. Each connection to the socket starts one process. It
sends a `StartRequest` as a line of JSON and gets the process id as a line, and the exit status when the process ends.
"""

import ctypes
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

PRELOADED = ("services.intake.app", "services.rules.app", "services.notifier.app", "services.reporting.app")
PR_SET_PDEATHSIG = 1
MOST_OPEN_FILES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """A module to run as the main one, its arguments, all its environment variables, and the file of its output."""

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: str

    def encode(self) -> bytes:
        """Return the line that asks for it."""
        return json.dumps(asdict(self)).encode() + b"\n"


class Template:
    """Forks a process for each request, and tells its requester how it ended."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._requesters: dict[int, socket.socket] = {}
        self._wakeups, wakeups = socket.socketpair()
        self._wakeups.setblocking(False)
        wakeups.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wakeups, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # with a handler, the end of a child wakes `select`
        signal.set_wakeup_fd(wakeups.fileno(), warn_on_full_buffer=False)
        self._kept = wakeups

    def run(self) -> NoReturn:
        """Serve until killed."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._start(self._listener.accept()[0])
                else:
                    self._wakeups.recv(4096)
                    self._reap()

    def _start(self, requester: socket.socket) -> None:
        with requester.makefile("rb") as lines:
            request = StartRequest(**json.loads(lines.readline()))
        child = os.fork()
        if child == 0:
            _become(request)
        self._requesters[child] = requester
        requester.sendall(b"%d\n" % child)

    def _reap(self) -> None:
        while self._requesters:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            with self._requesters.pop(child) as requester:
                requester.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(request: StartRequest) -> NoReturn:
    """Turn this forked process into the one that is asked for."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        log = os.open(request.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for target, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
            os.dup2(source, target)
        os.closerange(3, MOST_OPEN_FILES)
        os.environ.clear()
        os.environ.update(request.environment)
        sys.argv = [request.module, *request.arguments]
        runpy.run_module(request.module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - the interpreter ends a program like this as well
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Import the services, then serve."""
    path = Path(sys.argv[1])
    for module in PRELOADED:
        importlib.import_module(module)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        Template(listener).run()


if __name__ == "__main__":
    main()
