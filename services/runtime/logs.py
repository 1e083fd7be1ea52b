"""Logs as JSON lines on standard error: a constant sentence, a stable `action`, and fields.

It refuses to format messages: what varies goes into `extra`. The time is the service's clock, so that a story told at
high speed reads in its own time.
"""

import json
import logging
import sys

from services.runtime.clock import Clock

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CHATTY = ("aiokafka", "faststream", "kafka", "uvicorn", "pymongo", "httpx", "httpcore")


class JsonLines(logging.Formatter):
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


def configure(service: str, level: str, clock: Clock) -> None:
    """Send every log of this process to standard error; libraries speak only from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service, clock))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
