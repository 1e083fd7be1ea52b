"""What is known of duties, asked in turns by questions that have some of them in common."""

from datetime import timedelta

import msgspec

from schemas.events.assessments import Status
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.current.current_duties import CurrentDuties
from services.reporting.store import PlanDutyFilter
from tests.support.builders.annual_report import DUE, a_key, a_revision, a_timeline
from tests.support.builders.annual_report_events import a_verdict_event
from tests.support.clients.reporting_archive import InMemoryView

PLAN = a_key().plan
LATER = DUE + timedelta(hours=5)
WHOLE = PlanDutyFilter(plan=PLAN, periods=("2026",))


def write(view: InMemoryView, revision: AssessmentRevision) -> None:
    """Fold one revision into *view*."""
    view.store_verdict(msgspec.json.encode(a_verdict_event(revision)))


async def test_a_duty_that_another_question_has_read_has_its_boundaries_in_both() -> None:
    """Without them an answer would be shown beyond the instant at which a status of that duty begins."""
    view = InMemoryView()
    write(view, a_revision(revision=1, spans=a_timeline(Status.ON_TIME, effective_at=DUE)))
    duties = CurrentDuties(view, lambda _record: None)
    one, other = (PlanDutyFilter(plan=PLAN, periods=periods) for periods in (("2026",), ("2026", None)))
    for question in (one, other):
        assert LATER not in (await duties.find(question)).boundaries
    write(view, a_revision(revision=2, spans=a_timeline(Status.LATE, effective_at=LATER)))
    for question in (one, other):
        known = await duties.find(question)
        begins = {span.from_at for revision in known.assessments for span in revision.timeline}
        assert LATER in begins
        assert begins <= set(known.boundaries)


async def test_what_a_mark_names_is_all_that_is_read() -> None:
    """A verdict about one duty of a hundred costs the reading of one document, and a new duty is found as well."""
    view = InMemoryView()
    for number in range(100):
        write(view, a_revision(a_key(f"h-{number:02d}")))
    duties = CurrentDuties(view, lambda _record: None)
    await duties.find(WHOLE)
    view.read.clear()
    changed, new = a_key("h-42"), a_key("h-17a")
    write(view, a_revision(changed, revision=2))
    write(view, a_revision(new))
    known = await duties.find(WHOLE)
    assert view.read == sorted([str(changed), str(new)])
    assert {one.key: one.revision for one in known.assessments}[changed] == 2
    anew = await CurrentDuties(view, lambda _record: None).find(WHOLE)
    assert (known.assessments, known.recorded_at, known.cited) == (anew.assessments, anew.recorded_at, anew.cited)


async def test_where_a_mark_names_too_few_everything_is_looked_at() -> None:
    """More duties have changed since the last question than the mark names: none of them is missed."""
    view = InMemoryView(named_max=3)
    keys = [a_key(f"h-{number:02d}") for number in range(9)]
    for key in keys:
        write(view, a_revision(key))
    duties = CurrentDuties(view, lambda _record: None)
    await duties.find(WHOLE)
    for key in keys[:5]:
        write(view, a_revision(key, revision=2))
    known = await duties.find(WHOLE)
    assert [one.revision for one in known.assessments] == [2] * 5 + [1] * 4
