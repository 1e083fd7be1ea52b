"""A log line is one JSON object with a constant sentence and its fields."""

import json
import logging
import sys
from datetime import UTC, datetime

from services.runtime.logs import REPEAT_INTERVAL_SECONDS, JsonFormatter, RepeatFilter


class _Noon:
    def now(self) -> datetime:
        return datetime(2026, 12, 9, 12, tzinfo=UTC)


def _line(**fields: object) -> dict[str, object]:
    record = logging.LogRecord("rules", logging.INFO, __file__, 1, "a batch is written", (), None)
    vars(record).update(fields)
    line: dict[str, object] = json.loads(JsonFormatter("rules", _Noon()).format(record))
    return line


def test_a_line_tells_time_service_sentence_and_fields() -> None:
    """The time comes from the service's clock, and the fields are beside the sentence."""
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
    """A traceback is part of the object, so each line stays one JSON object."""
    try:
        int("no")
    except ValueError:
        line = _line(exc_info=sys.exc_info())
    assert "ValueError: invalid literal" in str(line["exception"])


def a_line(name: str, message: str, at: float, *values: object) -> logging.LogRecord:
    """A warning of the logger *name*, written at an instant."""
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, message, values, None)
    record.created = at
    return record


def test_a_library_says_the_same_thing_once_in_a_while_and_how_often_it_wanted_to() -> None:
    """A library's repeated line is held back and counted; other lines, and those of the services, never are."""
    seldom = RepeatFilter()
    said = [
        a_line("aiokafka.conn", "no answer from %s", at, f"b{at}") for at in (0.0, 1.0, 2.0, REPEAT_INTERVAL_SECONDS)
    ]
    assert [bool(seldom.filter(line)) for line in said] == [True, False, False, True]
    assert said[3].__dict__["held_back"] == 2
    assert seldom.filter(a_line("aiokafka.conn", "another", 0.0))
    assert all(seldom.filter(a_line("services.intake", "the same", 0.0)) for _ in range(3))
