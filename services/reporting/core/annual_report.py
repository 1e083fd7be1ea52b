"""The annual report as a value: what the plan asked, what came when, what is missing, who was urged, to what effect.

It rests on the assessments and alerts known at one instant, and carries their digest, so that anybody can recompute it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.events import ids
from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.plan.plan import Obligation, Plan, SourceDocument
from services.reporting.core.lines import DutyLine, Reader, lines_of
from services.reporting.core.lookup import DutyState
from services.reporting.core.projections import Attempt
from services.reporting.core.scorecard import Scorecard, scorecard

APART = frozenset({Status.EXEMPT, Status.SUPERSEDED, Status.ENDED_NO_SUCCESSOR})
"""Statuses that leave the denominator and are listed by name."""
UNDATED = frozenset({Status.OPEN, Status.FULFILLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """The figures of one addressed group."""

    group: str
    name: str
    scores: Scorecard


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One dated obligation in one period: its words in the plan, its lines, its figures overall and by group."""

    obligation: Obligation
    title: str
    period: str | None
    due_at: datetime | None
    lines: tuple[DutyLine, ...]
    groups: tuple[GroupScore, ...]
    total: Scorecard

    @property
    def outstanding(self) -> tuple[DutyLine, ...]:
        """Lines past due without a complete report."""
        return tuple(line for line in self.lines if line.days_late is not None and not line.is_complete)

    @property
    def apart(self) -> tuple[DutyLine, ...]:
        """Lines released, passed on or ended: out of every denominator."""
        return tuple(line for line in self.lines if line.status in APART)

    @property
    def urged(self) -> tuple[DutyLine, ...]:
        """Lines about which somebody was spoken to, or could not be reached."""
        return tuple(
            line for line in self.lines if line.urging.occasions or line.urging.escalations or line.urging.unsent
        )

    @property
    def pressed(self) -> tuple[DutyLine, ...]:
        """Lines that took more than a reminder: urged, asked to complete, escalated, or not reached."""
        return tuple(line for line in self.urged if line.urging.is_more_than_reminded)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndatedScore:
    """An obligation without a date: done or not yet, never late."""

    title: str
    clause: str
    period: str | None
    fulfilled: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualReport:
    """Everything that the documents print; they add layout and words, never a figure."""

    plan: Plan
    source: SourceDocument | None
    period: str
    as_of: datetime
    known_at: datetime
    chapters: tuple[Chapter, ...]
    undated: tuple[UndatedScore, ...]
    total: Scorecard
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which period is asked about, as of when, and by what was known when."""

    period: str
    as_of: datetime
    known_at: datetime


def compile_report(
    question: Question, states: Iterable[DutyState], attempts: Mapping[DutyKey, list[Attempt]], reader: Reader
) -> AnnualReport:
    """Return the report of *states*, the duties of one plan and period, each once."""
    kept = [state for state in states if state.status is not Status.NOT_APPLICABLE]
    lines = lines_of(kept, attempts, reader)
    dated = [line for line in lines if not _is_undated(line)]
    chapters = tuple(_chapters(dated, reader))
    return AnnualReport(
        plan=reader.plan,
        source=_source(reader.plan),
        period=question.period,
        as_of=question.as_of,
        known_at=question.known_at,
        chapters=chapters,
        undated=tuple(_undated(lines)),
        total=scorecard(line for chapter in chapters for line in chapter.lines),
        digest=digest_of(kept, attempts),
    )


def digest_of(states: Iterable[DutyState], attempts: Mapping[DutyKey, list[Attempt]]) -> str:
    """Return the digest of what a report rests on: the identity of every assessment and alert, in one order."""
    assessed = {f"{state.key}\x1e{state.assessed.revision}\x1e{state.assessed.event}" for state in states}
    alerted = {f"{key}\x1e{attempt.event}" for key, told in attempts.items() for attempt in told}
    return ids.digest(*sorted(assessed), "", *sorted(alerted))


def group_scores(lines: Iterable[DutyLine]) -> tuple[GroupScore, ...]:
    """Return the figures by group, in the order the groups first appear; every line is counted under one group."""
    by_group: dict[str, list[DutyLine]] = {}
    for line in lines:
        by_group.setdefault(line.group, []).append(line)
    return tuple(
        GroupScore(group=group, name=grouped[0].group_name, scores=scorecard(grouped))
        for group, grouped in by_group.items()
    )


def _is_undated(line: DutyLine) -> bool:
    return line.status in UNDATED or (line.due_at is None and line.status not in APART)


def _chapters(lines: Iterable[DutyLine], reader: Reader) -> Iterable[Chapter]:
    for (obligation_id, period), grouped in _by_duty_kind(lines).items():
        obligation = reader.plan.obligation(obligation_id)
        if obligation is None or all(line.due_at is None for line in grouped):
            continue
        yield Chapter(
            obligation=obligation,
            title=grouped[0].title,
            period=period,
            due_at=_common_due(grouped),
            lines=tuple(grouped),
            groups=group_scores(grouped),
            total=scorecard(grouped),
        )


def _common_due(lines: Iterable[DutyLine]) -> datetime | None:
    """Return the due instant most lines share; an extension moves only its own line."""
    dues = sorted(line.due_at for line in lines if line.due_at is not None)
    return max(dues, key=dues.count, default=None)


def _undated(lines: Iterable[DutyLine]) -> Iterable[UndatedScore]:
    for (_obligation, period), grouped in _by_duty_kind(line for line in lines if _is_undated(line)).items():
        scores = scorecard(grouped)
        yield UndatedScore(
            title=grouped[0].title,
            clause=grouped[0].clause,
            period=period,
            fulfilled=scores.fulfilled,
            open=scores.open,
        )


def _by_duty_kind(lines: Iterable[DutyLine]) -> dict[tuple[str, str | None], list[DutyLine]]:
    found: dict[tuple[str, str | None], list[DutyLine]] = {}
    for line in lines:
        found.setdefault((line.key.obligation, line.key.period), []).append(line)
    return found


def _source(plan: Plan) -> SourceDocument | None:
    return plan.sources[0] if plan.sources else None
