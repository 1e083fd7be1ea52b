"""Logs as JSON lines on standard error: a constant sentence, a stable `action`, and fields.

Messages are not formatted: what varies goes into `extra`. The time comes from the service's clock, so that the log of a
year that is played at high speed shows the dates of that year.
"""

import json
import logging
import sys
from collections import Counter

from services.runtime.clock import Clock

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LIBRARIES = ("aiokafka", "faststream", "kafka", "uvicorn", "pymongo", "httpx", "httpcore")

# Least time between two lines of a library that differ only in their values.
REPEAT_INTERVAL_SECONDS = 10.0

# Kinds of lines that are remembered. Some libraries format the values into the message, so each line is a new kind.
KINDS_MAX = 1_000


class JsonFormatter(logging.Formatter):
    """Formats each log record as one JSON object on one line."""

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
    """Suppresses repetitions of the same line by a library; the next line that passes says how many were held back.

    While a broker is away aiokafka logs the same line several times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._logged_at: dict[tuple[str, str], float] = {}
        self._held_back: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in _LIBRARIES:
            return True
        kind = record.name, str(record.msg)
        if record.created - self._logged_at.get(kind, -REPEAT_INTERVAL_SECONDS) < REPEAT_INTERVAL_SECONDS:
            self._held_back[kind] += 1
            return False
        if len(self._logged_at) >= KINDS_MAX:
            self._logged_at.clear()
        self._logged_at[kind] = record.created
        if kind in self._held_back:
            record.held_back = self._held_back.pop(kind)
        return True


def configure(service: str, level: str, clock: Clock) -> None:
    """Send every log of this process to standard error; libraries log only warnings and errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service, clock))
    handler.addFilter(RepeatFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
