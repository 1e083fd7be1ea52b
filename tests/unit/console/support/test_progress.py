"""A progress bar is for a person at a terminal: what a program reads has none in it."""

import errno
import os
import pty
import sys

import pytest

from services.console.support import progress


def test_a_terminal_shows_what_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a pseudo-terminal the bar says what is awaited and for how long."""
    master, slave = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress.show_progress("pdf of P-1 for 2026"):
            pass
    shown = _read_whole(master)
    os.close(master)
    assert "pdf of P-1 for 2026" in shown
    assert "0:00:00" in shown


def _read_whole(master: int) -> str:
    """Return all that was written to the terminal whose slave is closed; one read may give only what came first."""
    shown = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError as error:
            # Linux answers so, where others answer nothing, once nobody holds the slave.
            if error.errno != errno.EIO:
                raise
            block = b""
        if not block:
            return shown.decode()
        shown += block


def test_a_pipe_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log, a pipe and a pager get no byte of it, whatever TERM says."""
    monkeypatch.setenv("TERM", "xterm")
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        with progress.show_progress("pdf of P-1 for 2026"):
            pass
    with os.fdopen(reading, "rb") as read:
        assert read.read() == b""
