"""What a sink should do wrong, for whom and how often: read from a file that a test may rewrite at any moment.

The file is a JSON object: recipient to a list of acts, taken in order; `times` (default 1) repeats an act,
0 means for ever. A recipient that is not in the file, or whose acts are used up, is served well.
Knows neither mail nor SMS.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path


class FaultScript:
    """Follows one script file; counts restart when the file's text changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = ""
        self._acts: dict[str, list[Mapping[str, object]]] = {}
        self._used: Counter[str] = Counter()

    def next_fault(self, recipient: str) -> Mapping[str, object]:
        """Give what to do this time for *recipient*: an empty mapping is to serve well."""
        self._reread()
        position = self._used[recipient]
        for act in self._acts.get(recipient, []):
            times = int(str(act.get("times", 1)))
            if times == 0 or position < times:
                self._used[recipient] += 1
                return act
            position -= times
        return {}

    def _reread(self) -> None:
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        if text == self._text:
            return
        self._text = text
        self._acts = json.loads(text) if text else {}
        self._used.clear()
