"""A progress bar is for a person at a terminal: what a program reads has none in it."""

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
        terminal.flush()
        shown = os.read(master, 65536).decode()
    os.close(master)
    assert "pdf of P-1 for 2026" in shown
    assert "0:00:00" in shown


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
