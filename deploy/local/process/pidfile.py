"""Pid files. Each also has the process's start time, so that a reused process id is not mistaken for ours."""

import contextlib
import os
import signal
import time
from pathlib import Path

# starttime, field 22 of /proc/PID/stat (proc(5)), counted after the bracket that closes the command.
START_TIME_FIELD = 19
END_TIMEOUT_SECONDS = 30.0  # the owner stops four services and four programs one after the other


def write(path: Path, pid: int) -> None:
    """Write *pid* and its start time to *path*."""
    path.write_text(f"{pid} {_start_time(pid)}\n", encoding="ascii")


def read(path: Path) -> int | None:
    """Return the process id in *path* if that very process still runs, or None."""
    try:
        pid_text, start_time = path.read_text(encoding="ascii").split()
    except (FileNotFoundError, ValueError):
        return None
    pid = int(pid_text)
    return pid if start_time and _start_time(pid) == start_time else None


def kill_leftover(path: Path) -> bool:
    """Kill the process group in *path* if it still runs and remove the file; return whether it ran."""
    pid = read(path)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        _wait_gone(path)
    path.unlink(missing_ok=True)
    return pid is not None


def terminate(path: Path) -> bool:
    """Send SIGTERM to the process in *path* and wait until it is gone; return whether it ran."""
    pid = read(path)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    _wait_gone(path)
    return True


def _wait_gone(path: Path) -> None:
    deadline = time.monotonic() + END_TIMEOUT_SECONDS
    while read(path) is not None and time.monotonic() < deadline:
        time.sleep(0.02)


def _start_time(pid: int) -> str:
    """Return the start time of *pid*; "" if it is gone or a zombie, "-" if it runs on a system without /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "-" if _exists(pid) else ""
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state == "Z" else rest[START_TIME_FIELD - 1]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
