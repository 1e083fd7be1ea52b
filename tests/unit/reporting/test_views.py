"""What programs are told: one shape for the interface, the JSON report and the audit."""

import json

from services.reporting.core import views
from tests.support.builders.annual_report import a_report

REPORT = a_report()


def test_the_whole_holds_every_duty_under_its_chapter() -> None:
    """Figures and lines in plain JSON values."""
    told = json.loads(json.dumps(views.whole(REPORT)))
    (chapter,) = told["chapters"]
    assert (chapter["obligation"], chapter["period"], chapter["due_at"]) == (
        "annual-results",
        "2026",
        "2026-12-09T17:00:00+00:00",
    )
    assert len(chapter["duties"]) == len(REPORT.chapters[0].lines)
    assert told["undated"][0]["open"] == 13
    assert told["digest"] == REPORT.digest


def test_the_summary_has_the_same_figures_and_no_lines() -> None:
    """DHIS2's terms, rates between 0 and 1 with four places, nothing where there is none."""
    told = views.summary(REPORT)
    assert "duties" not in told["chapters"][0]
    total = told["total"]
    assert (total["expected_reports"], total["actual_reports"], total["reporting_rate"]) == (35, 27, 0.7714)
    assert views.scores(type(REPORT.total)())["reporting_rate"] is None


def test_a_duty_carries_what_was_said_about_it() -> None:
    """Instants as RFC 3339, the last good day as a date."""
    (late,) = [line for line in REPORT.chapters[0].lines if line.key.agency == "s-02"]
    told = views.duty(late)
    assert (told["status"], told["due_on"], told["days_late"]) == ("late", "2026-12-09", 3)
    assert told["urging"]["channels"] == {"email": 3, "sms": 1}
    assert told["urging"]["last_urged_at"] == "2026-12-09T19:00:00+00:00"
