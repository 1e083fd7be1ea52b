"""The JSON values of duties and reports: one shape for the API, the JSON report and the audit."""

import json

from services.reporting.core import json_views
from tests.support.builders.annual_report import a_report

REPORT = a_report()


def test_the_report_has_every_duty_under_its_chapter() -> None:
    """The report is made of plain JSON values, with all lines of a chapter below its figures."""
    view = json.loads(json.dumps(json_views.render_report(REPORT)))
    (chapter,) = view["chapters"]
    assert (chapter["obligation"], chapter["period"], chapter["due_at"]) == (
        "annual-results",
        "2026",
        "2026-12-09T17:00:00+00:00",
    )
    assert len(chapter["duties"]) == len(REPORT.chapters[0].lines)
    assert view["undated"][0]["open"] == 13
    assert view["digest"] == REPORT.digest


def test_the_summary_has_the_same_figures_and_no_lines() -> None:
    """The summary has counts and rates in DHIS2's terms, the rates with four places or null, and no duties."""
    view = json_views.render_summary(REPORT)
    assert "duties" not in view["chapters"][0]
    total = view["total"]
    assert (total["expected_reports"], total["actual_reports"], total["reporting_rate"]) == (35, 27, 0.7714)
    assert json_views.render_counts(type(REPORT.total)())["reporting_rate"] is None


def test_a_duty_carries_the_alerts_about_it() -> None:
    """A duty has its instants in RFC 3339, its last day on time as a date, and its alerts by channel."""
    (late,) = [line for line in REPORT.chapters[0].lines if line.key.agency == "s-02"]
    view = json_views.render_duty(late)
    assert (view["status"], view["due_on"], view["days_late"]) == ("late", "2026-12-09", 3)
    assert view["urging"]["channels"] == {"email": 3, "sms": 1}
    assert view["urging"]["last_urged_at"] == "2026-12-09T19:00:00+00:00"
