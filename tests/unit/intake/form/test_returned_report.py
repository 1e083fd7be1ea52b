"""The form of a returned report: it shows what the recipient asks for, in its words, and until when."""

from datetime import UTC, datetime
from typing import Any

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from services.intake.form import form_state, pages
from services.intake.form.duty_view import DryRunStatus, FormDuty, RequestedRevision
from services.intake.form.form_state import FormState
from services.intake.form.submit_report import _parse_status
from tests.support.builders.plans import AGENCIES, OBLIGATION, PLAN, Json, a_plan, a_registry

NOW = datetime(2024, 12, 13, 3, tzinfo=UTC)
ANSWER: Json = {
    "segment": {"status": "incomplete", "due_at": "2024-12-09T17:00:00Z", "submissions": 2},
    "missing": [],
    "basis": "record",
    "returned": {"submission": "s-1", "reason": "Sai <đơn vị>", "respond_by": "2024-12-20T17:00:00Z"},
}


def render_form(before: DryRunStatus) -> str:
    """Return the page of the usual duty with this status."""
    key = DutyKey(plan=PLAN, agency=AGENCIES[0], obligation=OBLIGATION, period="2024")
    duty = FormDuty.find(key, (a_plan(), a_registry()), NOW)
    assert duty is not None
    state = FormState(duty=duty, now=NOW, before=before, values={})
    values: dict[str, Any] = form_state.template_values(state, action="/form", other="/form?lang=en", limit_megabytes=8)
    return pages.render_page("form", "vi", **values).body.decode()


def test_the_form_shows_reason_and_term() -> None:
    """What rules answers of the return stands on the page, in the words of the recipient and safely escaped."""
    page = render_form(_parse_status(ANSWER))
    assert "<q>Sai &lt;đơn vị&gt;</q>" in page
    assert "20/12/2024" in page
    assert "hoàn thiện báo cáo" in page


def test_without_a_term_or_a_return_nothing_is_said_of_it() -> None:
    """A return without `respond_by` shows no term, and a report that is not returned no reason."""
    without_term = RequestedRevision(submission="s-1", reason="x", respond_by=None)
    status = DryRunStatus(
        status=Status.INCOMPLETE, due_at=None, submissions=2, missing=(), is_from_record=True, revision=without_term
    )
    assert "Thời hạn gửi bản thay thế" not in render_form(status)
    assert "Nội dung đề nghị hoàn thiện" not in render_form(_parse_status(ANSWER | {"returned": None}))
