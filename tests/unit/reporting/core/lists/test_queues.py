"""The queues of duties that need a person."""

from datetime import timedelta

import pytest
from msgspec import structs

from schemas.events.assessments import Status
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.lists import queues
from services.reporting.core.lists.queues import Queue
from services.reporting.core.urging import Urging
from tests.support.builders.annual_report import DUE, a_report

LINE = structs.replace(a_report().chapters[0].lines[0], status=Status.OVERDUE, flags=(), missing=(), urging=Urging())
BEFORE = DUE - timedelta(days=30)
IN_VAIN = Urging(reminders=2, urgings=1, first_tried_at=BEFORE)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (LINE, []),
        (structs.replace(LINE, urging=Urging(unsent=1)), [Queue.UNREACHABLE]),
        (structs.replace(LINE, urging=Urging(unsent=1, reminders=1)), []),
        (structs.replace(LINE, urging=Urging(unsent=1, reminders=1, is_out_of_reach=True)), [Queue.UNREACHABLE]),
        (structs.replace(LINE, status=Status.LATE, urging=Urging(unsent=1)), []),
        (structs.replace(LINE, status=Status.LATE, urging=Urging(unsent=1, is_out_of_reach=True)), []),
        (structs.replace(LINE, urging=IN_VAIN), [Queue.URGED]),
        (structs.replace(LINE, status=Status.PENDING, urging=IN_VAIN), [Queue.URGED]),
        (structs.replace(LINE, status=Status.INCOMPLETE, urging=IN_VAIN, missing=("signed",)), [Queue.INCOMPLETE]),
        (structs.replace(LINE, status=Status.INCOMPLETE, missing=("returned", "signed")), [Queue.RETURNED]),
        (structs.replace(LINE, status=Status.ON_TIME, flags=("needs_reconciliation",)), [Queue.RECONCILE]),
        (structs.replace(LINE, flags=("withdrawn",)), [Queue.WITHDRAWN]),
        (structs.replace(LINE, status=Status.ON_TIME, flags=("withdrawn",)), []),
        (structs.replace(LINE, status=Status.ENDED_NO_SUCCESSOR), [Queue.SUCCESSION]),
    ],
)
def test_each_queue_asks_for_one_thing(line: DutyLine, expected: list[Queue]) -> None:
    """A duty stands where it needs somebody, and one that is done or only waits stands nowhere."""
    assert [queue for queue in Queue if queues.is_in(queue, line)] == expected


def test_a_queue_says_since_when_its_first_duty_has_waited() -> None:
    """Silence is counted from the first alert, what is incomplete from when it became so; empty queues are left out."""
    silent = structs.replace(LINE, urging=IN_VAIN)
    later = structs.replace(LINE, urging=structs.replace(IN_VAIN, first_tried_at=DUE))
    incomplete = structs.replace(LINE, status=Status.INCOMPLETE, missing=("signed",), since=DUE)
    filled = queues.fill_queues([later, silent, incomplete])
    assert [(one.queue, len(one.lines), one.since) for one in filled] == [
        (Queue.URGED, 2, BEFORE),
        (Queue.INCOMPLETE, 1, DUE),
    ]
