"""The queues of duties that need a person."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.events.assessments import Status
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import queues
from services.reporting.core.lists.queues import Queue
from services.reporting.core.urging import Urging
from tests.support.builders.annual_report import DUE, a_report

LINE = replace(a_report().chapters[0].lines[0], status=Status.OVERDUE, flags=(), missing=(), urging=Urging())
BEFORE = DUE - timedelta(days=30)
IN_VAIN = Urging(reminders=2, urgings=1, first_tried_at=BEFORE)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (LINE, []),
        (replace(LINE, urging=Urging(unsent=1)), [Queue.UNREACHABLE]),
        (replace(LINE, urging=Urging(unsent=1, reminders=1)), []),
        (replace(LINE, urging=Urging(unsent=1, reminders=1, is_out_of_reach=True)), [Queue.UNREACHABLE]),
        (replace(LINE, status=Status.LATE, urging=Urging(unsent=1)), []),
        (replace(LINE, status=Status.LATE, urging=Urging(unsent=1, is_out_of_reach=True)), []),
        (replace(LINE, urging=IN_VAIN), [Queue.URGED]),
        (replace(LINE, status=Status.PENDING, urging=IN_VAIN), [Queue.URGED]),
        (replace(LINE, status=Status.INCOMPLETE, urging=IN_VAIN, missing=("signed",)), [Queue.INCOMPLETE]),
        (replace(LINE, status=Status.INCOMPLETE, missing=("returned", "signed")), [Queue.RETURNED]),
        (replace(LINE, status=Status.ON_TIME, flags=("needs_reconciliation",)), [Queue.RECONCILE]),
        (replace(LINE, flags=("withdrawn",)), [Queue.WITHDRAWN]),
        (replace(LINE, status=Status.ON_TIME, flags=("withdrawn",)), []),
        (replace(LINE, status=Status.ENDED_NO_SUCCESSOR), [Queue.SUCCESSION]),
    ],
)
def test_each_queue_asks_for_one_thing(line: DutyLine, expected: list[Queue]) -> None:
    """A duty stands where it needs somebody, and one that is done or only waits stands nowhere."""
    assert [queue for queue in Queue if queues.is_in(queue, line)] == expected


def test_a_queue_says_since_when_its_first_duty_has_waited() -> None:
    """Silence is counted from the first alert, what is incomplete from when it became so; empty queues are left out."""
    silent = replace(LINE, urging=IN_VAIN)
    later = replace(LINE, urging=replace(IN_VAIN, first_tried_at=DUE))
    incomplete = replace(LINE, status=Status.INCOMPLETE, missing=("signed",), since=DUE)
    filled = queues.fill_queues([later, silent, incomplete])
    assert [(one.queue, len(one.lines), one.since) for one in filled] == [
        (Queue.URGED, 2, BEFORE),
        (Queue.INCOMPLETE, 1, DUE),
    ]
