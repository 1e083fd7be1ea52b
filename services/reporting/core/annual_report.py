"""Compile the annual report as a value: what the plan asks, what came when, what is missing, who was urged.

The report rests on the assessments and alerts known at one instant. It carries their digest, so that anybody can
recompute it from the log.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from schemas.events import ids
from schemas.events.assessments import Status, StepKind
from schemas.events.ids import DutyKey
from schemas.plan.periods import Period
from schemas.plan.plan import Obligation, Plan, SourceDocument
from services.reporting.core import duty_counts, urging
from services.reporting.core.duty_counts import EXCLUDED_STATUSES, EXPECTED_STATUSES, DutyCounts
from services.reporting.core.duty_lines import DutyLine, LineBuilder, LineContext
from services.reporting.core.timeline import DutyState, UnreadableRecord
from services.reporting.core.urging import AlertAttempt, StepEffect, UrgedDuty

UNDATED_STATUSES = frozenset({Status.OPEN, Status.FULFILLED})
FIELD_SEPARATOR = "\x1e"  # ASCII record separator, which no duty key or event id contains: joined ids stay unambiguous


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCounts:
    """The figures of one addressed group of agencies."""

    group: str
    name: str
    counts: DutyCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One dated obligation in one period: its words in the plan, its lines, its figures overall and by group.

    `attempts` are those at alerts about its duties. What a document tells of them is worked out when it is asked for.
    """

    obligation: Obligation
    title: str
    period: str | None
    due_at: datetime | None
    lines: tuple[DutyLine, ...]
    groups: tuple[GroupCounts, ...]
    total: DutyCounts
    attempts: Mapping[DutyKey, Sequence[AlertAttempt]] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[StepEffect, ...]:
        """How many agencies each step of reminding and urging reached, and how many then reported."""
        return urging.measure_steps(
            UrgedDuty(
                attempts=self.attempts.get(line.key, ()), completed_at=line.effective_at if line.is_complete else None
            )
            for line in self.lines
        )

    def list_alerts(self, duty: DutyKey) -> Mapping[StepKind, tuple[str, ...]]:
        """Return the ids of the deliveries by which *duty* was alerted, by kind."""
        return urging.list_sent_alerts(self.attempts.get(duty, ()))

    @property
    def outstanding(self) -> tuple[DutyLine, ...]:
        """The lines that are past due without a complete report."""
        return tuple(line for line in self.lines if line.days_late is not None and not line.is_complete)

    @property
    def excluded(self) -> tuple[DutyLine, ...]:
        """The lines that are exempt, superseded or ended: they are part of no denominator."""
        return tuple(line for line in self.lines if line.status in EXCLUDED_STATUSES)

    @property
    def urged(self) -> tuple[DutyLine, ...]:
        """The lines about which an alert was sent, or could not be sent."""
        return tuple(
            line
            for line in self.lines
            if line.urging.occasions or line.urging.escalations or line.urging.unsent or line.urging.unknown
        )

    @property
    def urged_beyond_reminders(self) -> tuple[DutyLine, ...]:
        """The lines that took more than a reminder: urged, asked to complete, escalated, or not reached."""
        return tuple(line for line in self.urged if line.urging.is_more_than_reminded)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndatedObligation:
    """An obligation without a due date and its counts: its duties are fulfilled or open, never late.

    `evidence` are the ids of the facts by which duties are fulfilled.
    """

    obligation: str
    title: str
    clause: str
    period: str | None
    fulfilled: int
    open: int
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnualReport:
    """Everything that the documents print. They add layout and words, never a figure."""

    plan: Plan
    source: SourceDocument | None
    period: str
    as_of: datetime
    known_at: datetime
    chapters: tuple[Chapter, ...]
    undated: tuple[UndatedObligation, ...]
    total: DutyCounts
    digest: str
    unreadable: tuple[UnreadableRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQuery:
    """The period a report is about, the instant asked about, and the instant up to which records count."""

    period: str
    as_of: datetime
    known_at: datetime


def compile_report(
    query: ReportQuery,
    states: Iterable[DutyState],
    *,
    attempts: Mapping[DutyKey, Sequence[AlertAttempt]],
    context: LineContext,
    builder: LineBuilder | None = None,
) -> AnnualReport:
    """Compile the report of *states*, the duties of one plan and period, each once.

    The *attempts* may be about other duties as well. A *builder* that serves *context* builds no line anew that it has
    built before.
    """
    states = list(states)
    attempts = {state.key: attempts[state.key] for state in states if state.key in attempts}
    applicable = [state for state in states if state.status is not Status.NOT_APPLICABLE]
    lines = (builder or LineBuilder(context)).build(applicable, attempts, as_of=context.as_of)
    chapters = tuple(_build_chapters([line for line in lines if not _is_undated(line)], context.plan, attempts))
    return AnnualReport(
        plan=context.plan,
        source=context.plan.sources[0] if context.plan.sources else None,
        period=query.period,
        as_of=query.as_of,
        known_at=query.known_at,
        chapters=chapters,
        undated=tuple(_count_undated([line for line in lines if _is_undated(line)])),
        total=duty_counts.count_duties(line for chapter in chapters for line in chapter.lines),
        digest=digest_of(applicable, attempts),
    )


def select_in_period(states: Iterable[DutyState], period: Period, zone: ZoneInfo) -> list[DutyState]:
    """Return those of *states* that belong to the report of *period*: of any period, undated, or due in it."""
    return [state for state in states if state.key.period is not None or _is_due_in(state, period, zone)]


def _is_due_in(state: DutyState, period: Period, zone: ZoneInfo) -> bool:
    if state.span.due_at is None:
        return True
    # A due instant is exclusive: at midnight on 1 January the last day on time is 31 December of the year before.
    due_on = (state.span.due_at - timedelta(microseconds=1)).astimezone(zone).date()
    return period.starts_on <= due_on < period.ends_on


def digest_of(states: Iterable[DutyState], attempts: Mapping[DutyKey, Sequence[AlertAttempt]]) -> str:
    """Return the digest of the ids of every assessment and alert that a report rests on, in any order."""
    assessments = {
        FIELD_SEPARATOR.join((str(one.key), str(one.revision), one.event)) for one in (one.assessment for one in states)
    }
    alerts = {
        f"{text}{FIELD_SEPARATOR}{attempt.event}"
        for text, of_duty in ((str(key), of_duty) for key, of_duty in attempts.items())
        for attempt in of_duty
    }
    # The empty part separates assessments from alerts: no id is empty.
    return ids.digest(*sorted(assessments), "", *sorted(alerts))


def count_by_group(lines: Iterable[DutyLine]) -> tuple[GroupCounts, ...]:
    """Count *lines* by group, in the order in which the groups first appear; every line counts in one group."""
    by_group: dict[str, list[DutyLine]] = {}
    for line in lines:
        by_group.setdefault(line.group, []).append(line)
    return tuple(
        GroupCounts(group=group, name=grouped[0].group_name, counts=duty_counts.count_duties(grouped))
        for group, grouped in by_group.items()
    )


def add_group_counts(several: Iterable[Sequence[GroupCounts]]) -> tuple[GroupCounts, ...]:
    """Return the counts by group of lines that were counted in parts, in the order of `count_by_group`."""
    by_group: dict[str, list[GroupCounts]] = {}
    for one in chain.from_iterable(several):
        by_group.setdefault(one.group, []).append(one)
    return tuple(
        replace(parts[0], counts=duty_counts.add_counts(one.counts for one in parts)) for parts in by_group.values()
    )


def count_by_status(report: AnnualReport) -> Mapping[Status, int]:
    """Return how many duties of a report have each status, those without a due date included."""
    dated = {status: getattr(report.total, status.value) for status in (*EXPECTED_STATUSES, *EXCLUDED_STATUSES)}
    undated = {Status.OPEN: sum(one.open for one in report.undated)}
    return {**dated, **undated, Status.FULFILLED: sum(one.fulfilled for one in report.undated)}


def _is_undated(line: DutyLine) -> bool:
    return line.status in UNDATED_STATUSES or (line.due_at is None and line.status not in EXCLUDED_STATUSES)


def _build_chapters(
    lines: Iterable[DutyLine], plan: Plan, attempts: Mapping[DutyKey, Sequence[AlertAttempt]]
) -> Iterable[Chapter]:
    for (obligation_id, period), grouped in _group_by_obligation_and_period(lines).items():
        obligation = plan.obligation(obligation_id)
        # An exempt duty may have no due instant: an obligation with only such duties can have no rate on time.
        if obligation is None or all(line.due_at is None for line in grouped):
            continue
        yield Chapter(
            obligation=obligation,
            title=grouped[0].title,
            period=period,
            due_at=_most_common_due_at(grouped),
            lines=tuple(grouped),
            groups=count_by_group(grouped),
            total=duty_counts.count_duties(grouped),
            attempts={line.key: attempts[line.key] for line in grouped if line.key in attempts},
        )


def _most_common_due_at(lines: Iterable[DutyLine]) -> datetime | None:
    """Return the due instant that most lines share; an extension moves only the due instant of its own line."""
    counts = Counter(line.due_at for line in lines if line.due_at is not None)
    # Of several that are equally common `max` returns the first, which is the earliest.
    return max(sorted(counts), key=counts.__getitem__, default=None)


def _count_undated(lines: Iterable[DutyLine]) -> Iterable[UndatedObligation]:
    for (obligation, period), grouped in _group_by_obligation_and_period(lines).items():
        counts = duty_counts.count_duties(grouped)
        yield UndatedObligation(
            obligation=obligation,
            title=grouped[0].title,
            clause=grouped[0].clause,
            period=period,
            fulfilled=counts.fulfilled,
            open=counts.open,
            evidence=tuple(
                dict.fromkeys(one for line in grouped if line.status is Status.FULFILLED for one in line.evidence)
            ),
        )


def _group_by_obligation_and_period(lines: Iterable[DutyLine]) -> dict[tuple[str, str | None], list[DutyLine]]:
    grouped: dict[tuple[str, str | None], list[DutyLine]] = {}
    for line in lines:
        grouped.setdefault((line.key.obligation, line.key.period), []).append(line)
    return grouped
