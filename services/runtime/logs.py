"""Logs as JSON lines on standard error: a constant sentence, a stable `action`, and fields.

It refuses to format messages: what varies goes into `extra`. The time is the service's clock, so that a story told at
high speed reads in its own time.
"""

import json
import logging
import sys
from collections import Counter

from services.runtime.clock import Clock

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CHATTY = ("aiokafka", "faststream", "kafka", "uvicorn", "pymongo", "httpx", "httpcore")

REPEAT_INTERVAL_SECONDS = 10.0
"""Between two lines of a library that differ in nothing but their values."""
KINDS_MAX = 1_000
"""Kinds of lines that are remembered; some libraries put the values into the sentence."""


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object a line."""

    def __init__(self, service: str, clock: Clock) -> None:
        super().__init__()
        self._service = service
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self._clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class RepeatFilter(logging.Filter):
    """Lets a library say the same once in a while, and then how often it wanted to: a broker away is one event."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}
        self._held_back: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in _CHATTY:
            return True
        kind = record.name, str(record.msg)
        if record.created - self._said.get(kind, -REPEAT_INTERVAL_SECONDS) < REPEAT_INTERVAL_SECONDS:
            self._held_back[kind] += 1
            return False
        if len(self._said) >= KINDS_MAX:
            self._said.clear()
        self._said[kind] = record.created
        if kind in self._held_back:
            record.held_back = self._held_back.pop(kind)
        return True


def configure(service: str, level: str, clock: Clock) -> None:
    """Send every log of this process to standard error; libraries speak only from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service, clock))
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
