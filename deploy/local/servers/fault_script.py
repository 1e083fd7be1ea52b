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
    """Reads one fault file; the counts restart when the text of the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = ""
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
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        if text == self._text:
            return
        self._text = text
        self._faults = json.loads(text) if text else {}
        self._used.clear()
