"""What letters count of the past, and which urgings wait for the day that an agency has named."""

from datetime import date, timedelta

from schemas.events.assessments import Status, StepKind
from services.notifier.core.scheduling import letter_history
from services.notifier.core.scheduling.letter_history import NamedDay
from tests.unit.notifier.letters_of_6766 import DUE, a_call, a_history, at
from tests.unit.notifier.schedule_builders import OPENS, an_assessment, an_interval, days, follow

NAMED = NamedDay(promised_on=date(2024, 12, 16), said_at=at(11))


def test_a_named_day_quiets_the_urgings_after_the_first_until_it_is_over() -> None:
    """On the day itself nobody urges; on the morning after it goes on."""
    urging = a_call(StepKind.URGING, at=at(13)).alert
    history = a_history(urged=[at(10)], named=NAMED)
    assert letter_history.is_quieted(history, urging, date(2024, 12, 13))
    assert letter_history.is_quieted(history, urging, date(2024, 12, 16))
    assert not letter_history.is_quieted(history, urging, date(2024, 12, 17))


def test_a_named_day_never_quiets_the_deadline_itself_nor_what_goes_to_others() -> None:
    """The first urging, reminders, and letters to superiors go out whatever was named."""
    history = a_history(named=NAMED)
    first, reminder = a_call(StepKind.URGING, at=at(13)).alert, a_call(StepKind.REMINDER, at=at(13)).alert
    escalation = a_call(StepKind.ESCALATION, to="parent", at=at(13)).alert
    day = date(2024, 12, 13)
    assert [letter_history.is_quieted(history, one, day) for one in (first, reminder, escalation)] == [False] * 3


def test_what_was_sent_first_says_whether_a_reminder_is_the_first() -> None:
    """The keys of the schedule tell: another due instant and the alert itself do not count."""
    one = a_call(StepKind.REMINDER, step="P7D").alert
    earlier = a_call(StepKind.REMINDER, step="P30D").alert
    of_another_deadline = a_call(StepKind.REMINDER, step="P30D", due_at=DUE + timedelta(days=9)).alert
    assert letter_history.is_reminded([earlier.dedup_key], one)
    assert not letter_history.is_reminded([one.dedup_key, of_another_deadline.dedup_key], one)


def test_the_reports_of_a_list_are_counted_by_what_became_of_their_duties() -> None:
    """Expected are those that were owed at the instant; who was exempt, or whose time is extended, is told apart."""
    statuses = (Status.ON_TIME, Status.LATE, Status.OVERDUE, Status.INCOMPLETE, Status.PENDING, Status.EXEMPT)
    schedules = [follow(an_assessment(timeline=[an_interval(OPENS, one)]), OPENS) for one in statuses]
    tally = letter_history.count_reports(schedules, days(14))
    assert (tally.expected, tally.complete, tally.extended, tally.exempt) == (5, 2, 1, 1)
