"""The faults that a local server should simulate, from a file that a test may rewrite at any moment.

The file is a JSON object that maps a recipient to a list of faults, used in order. `times` (default 1) repeats a fault;
0 means for ever. A recipient that is not in the file, or whose faults are used up, is served normally. For example
`{"a@x.example": [{"rcpt": "452 4.2.2 Mailbox full", "times": 2}]}` refuses two mails and accepts the third.

This module knows neither mail nor SMS; the servers interpret the faults.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path


class FaultScript:
    """Reads one fault file; the counts restart when the file is written again, whatever is in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None
        self._faults: dict[str, list[Mapping[str, object]]] = {}
        self._used: Counter[str] = Counter()

    def next_fault(self, recipient: str) -> Mapping[str, object]:
        """Return the fault to simulate now for *recipient*; an empty mapping means none."""
        self._reread()
        position = self._used[recipient]
        for fault in self._faults.get(recipient, []):
            times = int(str(fault.get("times", 1)))
            if times == 0 or position < times:
                self._used[recipient] += 1
                return fault
            position -= times
        return {}

    def _reread(self) -> None:
        version = self._find_version()
        if version == self._version:
            return
        text = "" if version is None else self._path.read_text(encoding="utf-8")
        self._version = version
        self._faults = json.loads(text) if text else {}
        self._used.clear()

    def _find_version(self) -> tuple[int, int] | None:
        """Return what tells one writing of the file from another; None where there is none."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns
