"""Process ids on disk, each with the process's start time, so that a recycled number is never taken for ours."""

import contextlib
import os
import signal
import time
from pathlib import Path

START_TIME_FIELD = 19  # of /proc/PID/stat counted after the command's closing bracket: proc(5), field 22
END_TIMEOUT_SECONDS = 30.0  # an owner stops four services and four programs in turn


def write(path: Path, pid: int) -> None:
    """Note that process *pid* is the one that *path* stands for."""
    path.write_text(f"{pid} {_start_time(pid)}\n", encoding="ascii")


def read(path: Path) -> int | None:
    """Give the id of the process noted in *path* if that very process still runs."""
    try:
        pid_text, start_time = path.read_text(encoding="ascii").split()
    except (FileNotFoundError, ValueError):
        return None
    pid = int(pid_text)
    return pid if start_time and _start_time(pid) == start_time else None


def kill_leftover(path: Path) -> bool:
    """Kill the process group that *path* notes, if it still runs, and forget it; say whether there was one."""
    pid = read(path)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        _wait_gone(path)
    path.unlink(missing_ok=True)
    return pid is not None


def terminate(path: Path) -> bool:
    """Send TERM to the process that *path* notes and wait until it is gone; say whether there was one."""
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
    """Read when *pid* started; a process that is gone, or a zombie, or a system without /proc has none to compare."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "-" if _answers(pid) else ""
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state == "Z" else rest[START_TIME_FIELD - 1]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
