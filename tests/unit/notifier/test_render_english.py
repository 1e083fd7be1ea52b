"""An English reader is told the same, in English."""

from datetime import datetime

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from tests.unit.notifier.agendas import days
from tests.unit.notifier.words import EVERYTHING, a_notice, a_telling, all_in, written


def test_an_english_reader_gets_english() -> None:
    """Names, titles and what is missing, where the documents have them in English."""
    text = written(a_notice(a_telling(StepKind.INCOMPLETE, missing=EVERYTHING)), language="en")
    wanted = (
        "Tho Xuan District People's Committee",
        "Results of the plan for 2026",
        "the end of 09/12/2026",
        'the indicator "Entrusted local budget" (in million VND; from 0 to 9,984.2)',
        "The ratio is wrong",
    )
    assert all_in(text.body, *wanted) == []


def test_an_english_digest_lists_every_duty_too() -> None:
    """Under a subject that counts them."""
    text = written(a_notice(a_telling(), a_telling(period="2025")), language="en")
    assert text.subject == "Kind request concerning 2 reports under 6766/KH-UBND"
    assert all_in(text.body, "to the 2 matters below", "1. Subject", "2. Subject") == []


@pytest.mark.parametrize(
    ("kind", "subject", "sms"),
    [
        (StepKind.REMINDER, "Reminder: ", "is kindly requested to send the report for 2026"),
        (StepKind.URGING, "Kind request: ", "is kindly requested to send the report for 2026"),
        (StepKind.INCOMPLETE, "Please complete: ", "is kindly requested to complete the report for 2026"),
        (StepKind.ESCALATION, "For information: ", "has not sent the report for 2026"),
    ],
)
def test_english_says_what_it_is(kind: StepKind, subject: str, sms: str) -> None:
    """By mail in the subject, by SMS in the verb."""
    assert (written(a_notice(a_telling(kind)), language="en").subject or "").startswith(subject)
    assert sms in written(a_notice(a_telling(kind), channel=Channel.SMS), language="en").body


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (days(-2.5), "2 days left"),
        (days(-1.5), "1 day left"),
        (days(-0.5), "today is the last day"),
        (days(0.1), "1 day overdue"),
    ],
)
def test_english_counts_the_days(now: datetime, words: str) -> None:
    """As in Vietnamese, with a singular."""
    assert words in written(a_notice(), language="en", now=now).body


@pytest.mark.parametrize(
    ("period", "words"),
    [("2026-07", "for 07/2026"), ("2026-Q3", "for quarter 3 of 2026"), ("2026-H2", "for the second half of 2026")],
)
def test_english_tells_a_period(period: str, words: str) -> None:
    """Month, quarter and half-year."""
    assert words in written(a_notice(a_telling(period=period)), language="en").body
