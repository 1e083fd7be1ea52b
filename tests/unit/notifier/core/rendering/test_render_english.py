"""A reader of English gets the same text in English."""

from datetime import datetime

import pytest

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from tests.unit.notifier.digest_builders import EVERYTHING, a_digest, absent_parts, an_alert, render_text
from tests.unit.notifier.schedule_builders import days


def test_an_english_reader_gets_english() -> None:
    """Names, titles and missing parts are in English if the documents have them in English."""
    text = render_text(a_digest(an_alert(StepKind.INCOMPLETE, missing=EVERYTHING)), language="en")
    expected = (
        "Tho Xuan District People's Committee",
        "Results of the plan for 2026",
        "the end of 09/12/2026",
        'the indicator "Entrusted local budget" (in million VND; from 0 to 9,984.2)',
        "The ratio is wrong",
    )
    assert absent_parts(text.body, *expected) == []


def test_an_english_digest_lists_every_duty_too() -> None:
    """The subject of an English digest counts the duties."""
    text = render_text(a_digest(an_alert(), an_alert(period="2025")), language="en")
    assert text.subject == "Kind request concerning 2 reports under 6766/KH-UBND"
    assert absent_parts(text.body, "to the 2 matters below", "1. Subject", "2. Subject") == []


@pytest.mark.parametrize(
    ("kind", "subject", "sms"),
    [
        (StepKind.REMINDER, "Reminder: ", "is kindly requested to send the report for 2026"),
        (StepKind.URGING, "Kind request: ", "is kindly requested to send the report for 2026"),
        (StepKind.INCOMPLETE, "Please complete: ", "is kindly requested to complete the report for 2026"),
        (StepKind.ESCALATION, "For information: ", "has not sent the report for 2026"),
    ],
)
def test_english_says_what_the_message_is(kind: StepKind, subject: str, sms: str) -> None:
    """A mail says it in the subject, an SMS in the verb."""
    assert (render_text(a_digest(an_alert(kind)), language="en").subject or "").startswith(subject)
    assert sms in render_text(a_digest(an_alert(kind), channel=Channel.SMS), language="en").body


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
    """The days are counted as in Vietnamese, with a singular."""
    assert words in render_text(a_digest(), language="en", now=now).body


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2026-07", "for July 2026"),
        ("2026-Q3", "for the third quarter of 2026"),
        ("2026-H2", "for the second half of 2026"),
    ],
)
def test_english_names_a_period(period: str, words: str) -> None:
    """A month, a quarter and a half-year are written out."""
    assert words in render_text(a_digest(an_alert(period=period)), language="en").body
