"""Every refusal is counted, and told of by a line of its own or, in a flood, by one that counts."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from services.reporting.core.access.decisions import RefusalReason
from services.reporting.http.access import refusal_audit
from services.reporting.http.access.refusal_audit import RefusalAudit

DETAILS = {"method": "GET", "path": "/v1/duties"}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that returns the fields of the audit lines so far."""
    caplog.set_level(logging.WARNING)
    return lambda: [vars(record) for record in caplog.records]


def test_a_refusal_is_a_line(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """It names the reason, the reader and the address as far as they are known, and what was asked."""
    counted: list[RefusalReason] = []
    audit = RefusalAudit(counted.append)
    audit.record(RefusalReason.OUTSIDE_SCOPE, reader="officer", address="192.0.2.7", details=DETAILS)
    (line,) = lines()
    assert (line["action"], line["reason"], line["reader"]) == ("read_refused", "outside_scope", "officer")
    assert (line["address"], line["method"], line["path"]) == ("192.0.2.7", "GET", "/v1/duties")
    assert counted == [RefusalReason.OUTSIDE_SCOPE]
    audit.end_period()
    assert len(lines()) == 1


def test_a_flood_is_counted_and_hides_nobody_else(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """After so many lines of one address one more tells how many there were; a reader still has lines of their own."""
    counted: list[RefusalReason] = []
    audit = RefusalAudit(counted.append)
    for number in range(1_000):
        reason = RefusalReason.NO_KEY if number % 2 else RefusalReason.UNKNOWN_KEY
        audit.record(reason, reader=None, address="192.0.2.7", details=DETAILS)
    audit.record(RefusalReason.NOT_PERMITTED, reader="officer", address="192.0.2.7", details=DETAILS)
    assert len(counted) == 1_001
    assert len(lines()) == refusal_audit.LINES_MAX + 1
    audit.end_period()
    last = lines()[-1]
    assert (last["action"], last["origin"], last["count"]) == ("reads_refused", "192.0.2.7", 940)
    assert last["refusals"] == {"no_key": 470, "unknown_key": 470}
    audit.record(RefusalReason.NO_KEY, reader=None, address="192.0.2.7", details=DETAILS)
    assert lines()[-1]["action"] == "read_refused"


def test_an_attack_from_everywhere_writes_a_bounded_number_of_lines(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """Beyond so many addresses the others count together."""
    audit = RefusalAudit(lambda _reason: None)
    for number in range(1_000):
        audit.record(RefusalReason.NO_KEY, reader=None, address=f"192.0.2.{number}", details=DETAILS)
    assert len(lines()) == refusal_audit.ORIGINS_MAX + refusal_audit.LINES_MAX
