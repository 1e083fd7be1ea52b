"""Every refusal is counted, and told of by a line of its own or, in a flood, by one that counts."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from services.runtime.access import refusal_log
from services.runtime.access.refusal_log import RefusalLog

LINES_MAX = 60
ADDRESS = "192.0.2.7"
DETAILS = {"method": "GET", "path": "/v1/duties"}

Lines = Callable[[], list[dict[str, Any]]]


class Why(StrEnum):
    """Why requests are refused here."""

    NO_KEY = "no_key"
    UNKNOWN_KEY = "unknown_key"
    NOT_PERMITTED = "not_permitted"


class Refusals:
    """A log of refusals, and what it counted for the metric."""

    def __init__(self) -> None:
        self.counted: list[Why] = []
        self.log = RefusalLog("refused", lines_max=LINES_MAX, count=self.counted.append)

    def record(self, reason: Why, *, origin: str | None = ADDRESS, key: str | None = None) -> None:
        """Record a refusal of the usual request."""
        self.log.record(reason, origin=origin, key=key, details=DETAILS)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Return a function that returns the members of the log lines so far."""
    caplog.set_level(logging.WARNING)
    return lambda: [vars(record) for record in caplog.records]


def test_a_refusal_is_a_line(lines: Lines) -> None:
    """It names the reason, the origin and the key as far as they are known, and what was asked; no second tells it."""
    refusals = Refusals()
    refusals.record(Why.NOT_PERMITTED, origin="officer", key="officer")
    (line,) = lines()
    assert (line["action"], line["reason"], line["origin"]) == ("refused", "not_permitted", "officer")
    assert (line["key"], line["method"], line["path"]) == ("officer", "GET", "/v1/duties")
    assert refusals.counted == [Why.NOT_PERMITTED]
    refusals.log.end_period()
    assert len(lines()) == 1


def test_a_flood_is_counted_and_hides_nobody_else(lines: Lines) -> None:
    """After so many lines of one origin one more tells how many there were and of which keys; others have their own."""
    refusals = Refusals()
    for number in range(1_000):
        reason, key = (Why.NO_KEY, None) if number % 2 else (Why.UNKNOWN_KEY, "k-1")
        refusals.record(reason, key=key)
    refusals.record(Why.NOT_PERMITTED, origin="officer")
    assert len(refusals.counted) == 1_001
    assert len(lines()) == LINES_MAX + 1
    refusals.log.end_period()
    last = lines()[-1]
    assert (last["action"], last["origin"], last["count"]) == ("refused_repeatedly", ADDRESS, 940)
    assert last["reasons"] == {"no_key": 470, "unknown_key": 470}
    assert last["keys"] == ["k-1"]
    refusals.log.end_period()
    assert len(lines()) == LINES_MAX + 2
    refusals.record(Why.NO_KEY)
    assert lines()[-1]["action"] == "refused"


def test_an_attack_from_everywhere_writes_a_bounded_number_of_lines(lines: Lines) -> None:
    """Beyond so many origins the others, and those that are not known, count together."""
    refusals = Refusals()
    refusals.record(Why.NO_KEY, origin=None)
    for number in range(1_000):
        refusals.record(Why.NO_KEY, origin=f"192.0.2.{number}")
    assert len(lines()) == refusal_log.ORIGINS_MAX - 1 + LINES_MAX
