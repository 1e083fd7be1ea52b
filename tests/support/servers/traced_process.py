"""Run a service and record which of our functions it calls between two signals.

Use: `python -m tests.support.servers.traced_process FILE -- services.intake`. SIGUSR1 begins a recording, SIGUSR2 ends
it and writes FILE: a JSON list of `[path, qualified name, callers]`, one entry for each call, in order. The callers are
the qualified names of our functions on the stack.
"""

import json
import os
import runpy
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

ROOT = f"{Path(__file__).parents[3]}{os.sep}"
PACKAGES = tuple(f"{ROOT}{name}{os.sep}" for name in ("services", "schemas"))
NESTED = ("<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>", "<lambda>", "<module>")
SEPARATOR = "--"


class Recorder:
    """Records the calls of our functions in every thread."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._calls: list[tuple[CodeType, list[str]]] = []

    def start(self, *_: object) -> None:
        """Begin a recording."""
        self._calls = []
        threading.setprofile(self._on_event)
        sys.setprofile(self._on_event)

    def stop(self, *_: object) -> None:
        """End the recording and write it."""
        sys.setprofile(None)
        threading.setprofile(None)
        calls = [(code.co_filename.removeprefix(ROOT), code.co_qualname, callers) for code, callers in self._calls]
        ours = [call for call in calls if not call[1].endswith(NESTED)]
        unfinished = self._target.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(ours), encoding="utf-8")
        unfinished.replace(self._target)

    def _on_event(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGES):
            self._calls.append((frame.f_code, list(_callers_of(frame))))


def _callers_of(frame: FrameType) -> Iterator[str]:
    caller = frame.f_back
    while caller is not None:
        if caller.f_code.co_filename.startswith(PACKAGES):
            yield caller.f_code.co_qualname
        caller = caller.f_back


def main() -> None:
    """Install the signal handlers, then become the service."""
    cut = sys.argv.index(SEPARATOR)
    recorder = Recorder(Path(sys.argv[cut - 1]))
    signal.signal(signal.SIGUSR1, recorder.start)
    signal.signal(signal.SIGUSR2, recorder.stop)
    module, *arguments = sys.argv[cut + 1 :]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
