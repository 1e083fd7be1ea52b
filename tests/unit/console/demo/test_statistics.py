"""The counts of the demo's progress view are made from the records of the log alone."""

from datetime import timedelta

from schemas.events.facts import SUBMITTED
from services.console.demo.plan_6766.events import RESULTS, YEAR
from services.console.demo.plan_6766.expected import DUE_AT
from services.console.demo.statistics import DemoStatistics
from tests.support.builders.log_records import NOON, a_log_record, an_assessment_record, an_attempt_record

COUNTED = frozenset({(RESULTS, YEAR)})


def test_a_status_is_counted_as_it_is_at_the_instant() -> None:
    """One timeline counts as pending before the due instant and as overdue from then on."""
    statistics = DemoStatistics(counted=COUNTED)
    statistics.add_record(an_assessment_record("so-tp", (NOON, "pending"), (DUE_AT, "overdue")))
    assert statistics.count_statuses(DUE_AT - timedelta(seconds=1)) == {"pending": 1}
    assert statistics.count_statuses(DUE_AT) == {"overdue": 1}


def test_the_last_assessment_of_a_duty_counts() -> None:
    """A second assessment of an agency replaces the first, so the agency is counted once."""
    statistics = DemoStatistics(counted=COUNTED)
    statistics.add_record(an_assessment_record("so-tp", (NOON, "pending")))
    statistics.add_record(an_assessment_record("so-tp", (NOON, "on_time")))
    assert statistics.count_statuses(NOON) == {"on_time": 1}


def test_other_years_are_not_counted() -> None:
    """Only duties of the scenario's year are counted."""
    statistics = DemoStatistics(counted=COUNTED)
    statistics.add_record(an_assessment_record("so-tp", (NOON, "on_time"), period="2023"))
    assert statistics.count_statuses(NOON) == {}


def test_a_digest_about_two_agencies_is_one_mail() -> None:
    """Attempts with one alert id count once, and an attempt that delivered nothing does not count."""
    statistics = DemoStatistics(counted=COUNTED)
    for record in (
        an_attempt_record("a"),
        an_attempt_record("a"),
        an_attempt_record("b", "sms"),
        an_attempt_record("c", outcome="unreachable"),
    ):
        statistics.add_record(record)
    assert (statistics.mail_count, statistics.sms_count) == (1, 1)


def test_facts_are_kept_with_the_time_of_the_log() -> None:
    """Each fact carries its record's time as `recordedtime`, by which `dondoc evaluate` knows what was known when."""
    statistics = DemoStatistics(counted=COUNTED)
    statistics.add_record(a_log_record(SUBMITTED, {}))
    assert [fact["recordedtime"] for fact in statistics.facts] == ["1970-01-01T00:00:00+00:00"]
