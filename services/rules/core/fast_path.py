"""The usual duty, whose agency lives on and has filed nothing or one complete report: a shortcut past the fold.

Up to its report it stands as it would in silence, and silence is the same for all agencies that owe the same; from
then on it is settled. What is not exactly usual is nothing here and takes the full way through `assess` and `steps`,
which alone say what a status means. A property holds the two ways to the same answer.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from schemas.plan.plan import Requirements
from services.rules.core import completeness, status_rules
from services.rules.core.alerts import Step, steps
from services.rules.core.assess import Segment, assess
from services.rules.core.duty import Duty
from services.rules.core.facts import Fact, Submission
from services.rules.core.filings import effective_at

_NIL_RETURN = ("nil_return",)


class Course(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a duty stands over time, and the alerts that it calls for."""

    timeline: tuple[Segment, ...]
    steps: tuple[Step, ...]


class Courses:
    """The courses of the duties of one book. Silences are kept: fewer than the duties, which the book keeps, too."""

    def __init__(self) -> None:
        self._silences: dict[tuple[str, str | None, datetime | None], Course] = {}

    def of(self, duty: Duty, facts: Sequence[Fact]) -> Course:
        """Return the course of *duty* from the *facts* that bear on it, each once."""
        return self.usual(duty, facts) or folded(duty, facts)

    def usual(self, duty: Duty, facts: Sequence[Fact]) -> Course | None:
        """Return the course of *duty* if it is usual, else nothing."""
        if len(facts) > 1 or duty.ends_at is not None or duty.left_at is not None:
            return None
        if not facts:
            return self._silence(duty)
        report = facts[0]
        if isinstance(report, Submission) and _is_usual(duty, report):
            return _settled(duty, self._silence(duty), report)
        return None

    def _silence(self, duty: Duty) -> Course:
        """Return the course of *duty* while nothing is filed; agencies bound from the same day share it."""
        name = (duty.key.obligation, duty.key.period, duty.opens_at)
        silence = self._silences.get(name)
        if silence is None:
            silence = self._silences[name] = folded(duty, ())
        return silence


def folded(duty: Duty, facts: Sequence[Fact]) -> Course:
    """Return the course of *duty* the full way."""
    assessment = assess(duty, facts)
    return Course(timeline=assessment.timeline, steps=steps(assessment))


def _is_usual(duty: Duty, report: Submission) -> bool:
    """Whether *report* is complete, corrects nothing, and is the agency's own for the duty's period."""
    requires = duty.version.requires if duty.version else Requirements()
    return (
        duty.opens_at is not None
        and report.corrects is None
        and report.filed_by == duty.key.agency
        and report.period == duty.key.period
        and not completeness.missing(requires, report.report)
    )


def _settled(duty: Duty, silence: Course, report: Submission) -> Course:
    """Return *silence* up to the effective instant of *report*, which settles the duty from then on."""
    since = effective_at(duty, report)
    before = [one for one in silence.timeline if one.starts_at < since]
    settled = Segment(
        starts_at=since if before else silence.timeline[0].starts_at,
        status=status_rules.discharged(since, duty.due_at),
        due_at=duty.due_at,
        effective_at=since,
        submissions=1,
        flags=_NIL_RETURN if report.report.is_nil_return else (),
        evidence=(report.id,),
    )
    called_for = [_until(one, since) for one in silence.steps if one.at < since]
    return Course(timeline=(*before, settled), steps=tuple(called_for))


def _until(step: Step, since: datetime) -> Step:
    """Return *step*, repeated no longer than until *since*."""
    if step.until is None or step.until <= since:
        return step
    return msgspec.structs.replace(step, until=since)
