"""A log line is one JSON object with a constant sentence and its fields."""

import json
import logging
import sys
from datetime import UTC, datetime

from services.runtime.logs import JsonLines


class _Noon:
    def now(self) -> datetime:
        return datetime(2026, 12, 9, 12, tzinfo=UTC)


def _line(**fields: object) -> dict[str, object]:
    record = logging.LogRecord("rules", logging.INFO, __file__, 1, "a batch is written", (), None)
    vars(record).update(fields)
    line: dict[str, object] = json.loads(JsonLines("rules", _Noon()).format(record))
    return line


def test_a_line_tells_time_service_sentence_and_fields() -> None:
    """The time is the service's clock, the fields stand beside the sentence."""
    assert _line(action="written", partition=3) == {
        "time": "2026-12-09T12:00:00.000+00:00",
        "level": "info",
        "service": "rules",
        "logger": "rules",
        "message": "a batch is written",
        "action": "written",
        "partition": 3,
    }


def test_an_error_is_told_in_the_same_line() -> None:
    """A traceback never breaks the one-object-a-line rule."""
    try:
        int("no")
    except ValueError:
        line = _line(exc_info=sys.exc_info())
    assert "ValueError: invalid literal" in str(line["exception"])
