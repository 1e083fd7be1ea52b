"""Describe one duty as a line of the report: who owed what by when, what came, what is missing, who was urged and how.

Days late are counted in local dates from the last day on time. A duty due before 10 December 00:00 has the ninth as its
last day on time, so a report received at 08:00 on the tenth is one day late.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.plan import periods
from schemas.plan.plan import Obligation, Plan
from services.reporting.core import urging, vietnamese_locale
from services.reporting.core.agencies.membership import Memberships
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.timeline import DutyState, EventIdentity
from services.reporting.core.urging import AlertAttempt, Urging

Run = TypeVar("Run")

# Prefix of the flag that names the agency which succeeded to a duty, for example `inherited_by_h-19`.
INHERITED_BY = "inherited_by_"
COMPLETE_STATUSES = frozenset({Status.ON_TIME, Status.LATE, Status.FULFILLED})


class DutyLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One duty as people read it.

    `days_late` counts up to the complete report, or up to the day asked about where none has come; it is None for a
    duty that is not late. `evidence` are the ids of the facts that the status rests on, and
    `standing` is the submission whose content counts. `since` is when the duty came into this state.
    """

    key: DutyKey
    agency_name: str
    group: str
    group_name: str
    title: str
    clause: str
    due_at: datetime | None
    due_on: date | None
    status: Status
    effective_at: datetime | None
    days_late: int | None
    submissions: int
    flags: tuple[str, ...]
    missing: tuple[str, ...]
    successors: tuple[str, ...]
    urging: Urging
    evidence: tuple[str, ...]
    standing: EventIdentity | None
    event: str
    revision: int
    since: datetime | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the duty is discharged by a complete report."""
        return self.status in COMPLETE_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class LineContext:
    """What lines are built with besides the states: the plan, the registry, the instant asked about, the language."""

    plan: Plan
    registry: RegistryIndex
    as_of: datetime
    language: str = "vi"

    @property
    def zone(self) -> ZoneInfo:
        """The plan's time zone; days are its local dates."""
        return ZoneInfo(self.plan.zone)

    @property
    def today(self) -> date:
        """The local date of `as_of`."""
        return self.as_of.astimezone(self.zone).date()


class _BuiltLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line, its place in the order of all, and what it was built from."""

    state: DutyState
    attempts: Sequence[AlertAttempt]
    is_due: bool
    line: DutyLine
    place: tuple[object, ...]

    def holds_for(self, state: DutyState, attempts: Sequence[AlertAttempt], *, is_due: bool) -> bool:
        """Whether the line says the same on the same day, by the same documents."""
        if self.attempts is not attempts or self.is_due is not is_due:
            return False
        return self.state is state or (self.state.assessment is state.assessment and self.state.span is state.span)


class LineBuilder:
    """Builds the lines of some duties by one version of the documents for one day, again and again.

    What has not changed since the last time is not built anew.
    """

    def __init__(self, context: LineContext) -> None:
        self._context = context
        self._memberships = Memberships(context.plan, context.registry)
        self._obligations = {one.id: (rank, one) for rank, one in enumerate(context.plan.obligations)}
        # The lines of the last time and their order, as one value: several threads may build at once.
        self._last: tuple[Mapping[DutyKey, _BuiltLine], Sequence[DutyKey]] = {}, ()

    def serves(self, context: LineContext) -> bool:
        """Whether lines of *context* follow from the same documents, on the same day and in the same language."""
        own = self._context
        return (
            (own.plan.plan, own.plan.version, own.language, own.today)
            == (context.plan.plan, context.plan.version, context.language, context.today)
            and own.registry.registry.registry == context.registry.registry.registry
            and own.registry.registry.version == context.registry.registry.version
        )

    def build(
        self, states: Iterable[DutyState], attempts: Mapping[DutyKey, Sequence[AlertAttempt]], *, as_of: datetime
    ) -> tuple[DutyLine, ...]:
        """Return one line a duty, in the order that a Vietnamese reader expects; *as_of* is of the builder's day."""
        context = replace(self._context, as_of=as_of)
        last, order = self._last
        built: dict[DutyKey, _BuiltLine] = {}
        is_ordered = True
        for state in states:
            key, due_at = state.assessment.key, state.span.due_at
            if key.obligation not in self._obligations:
                continue
            about = attempts.get(key, ())
            is_due = due_at is not None and due_at <= as_of
            earlier = one = last.get(key)
            if one is None or not one.holds_for(state, about, is_due=is_due):
                one = self._build_one(state, about, is_due=is_due, context=context)
                is_ordered = is_ordered and earlier is not None and earlier.place == one.place
            built[key] = one
        # Sorting takes longer than all else where little has changed, and mostly every line stays in its place.
        if not is_ordered or len(built) != len(order):
            order = [key for key, _ in sorted(built.items(), key=lambda item: item[1].place)]
        self._last = built, order
        return tuple([built[key].line for key in order])

    def _build_one(
        self, state: DutyState, attempts: Sequence[AlertAttempt], *, is_due: bool, context: LineContext
    ) -> _BuiltLine:
        rank, obligation = self._obligations[state.key.obligation]
        line = build_line(state, attempts, obligation=obligation, context=context, memberships=self._memberships)
        place = _find_place(line, rank, obligation)
        return _BuiltLine(state=state, attempts=attempts, is_due=is_due, line=line, place=place)


def build_lines(
    states: Iterable[DutyState], attempts: Mapping[DutyKey, Sequence[AlertAttempt]], context: LineContext
) -> tuple[DutyLine, ...]:
    """Return one line a duty, ordered as a Vietnamese reader expects: by obligation, period, group and agency name.

    A duty whose obligation the plan does not know is left out.
    """
    return LineBuilder(context).build(states, attempts, as_of=context.as_of)


def split_runs(lines: Iterable[DutyLine]) -> list[tuple[DutyLine, ...]]:
    """Return *lines*, which are in the order of `build_lines`, in runs of one obligation and period each."""
    return [tuple(run) for _, run in groupby(lines, key=_find_run)]


def order_runs(runs: Iterable[Run], plans: Sequence[Plan], first: Callable[[Run], DutyLine]) -> tuple[Run, ...]:
    """Return the runs of several periods in the order that `build_lines` has in each; *first* returns a line of a run.

    Plan comes after plan, and what the latest version of a plan does not know comes last.
    """
    obligations = [(plan.plan, one.id) for plan in plans for one in plan.obligations]
    ranks = {obligation: rank for rank, obligation in enumerate(obligations)}

    def find_place(run: Run) -> tuple[int, tuple[date, date]]:
        key = first(run).key
        return ranks.get((key.plan, key.obligation), len(ranks)), periods.sort_key(key.period)

    return tuple(sorted(runs, key=find_place))


def _find_run(line: DutyLine) -> tuple[str, str | None]:
    return line.key.obligation, line.key.period


def _find_place(line: DutyLine, rank: int, obligation: Obligation) -> tuple[object, ...]:
    # Agencies addressed by name, whose group is no addressee, come last.
    addressees = obligation.bearers
    group_rank = addressees.index(line.group) if line.group in addressees else len(addressees)
    return (
        rank,
        periods.sort_key(line.key.period),
        group_rank,
        vietnamese_locale.collation_key(line.agency_name),
    )


def build_line(
    state: DutyState,
    attempts: Sequence[AlertAttempt],
    *,
    obligation: Obligation,
    context: LineContext,
    memberships: Memberships,
) -> DutyLine:
    """Return the line of one duty, in the group of which its agency is a member as for the duty."""
    span, key, registry, language = state.span, state.key, context.registry, context.language
    day = registry_day(state, context.as_of, context.zone)
    group = registry.group_of(key.agency, obligation, memberships.decided_on(key, context.today))
    completed_at = span.effective_at if span.status in COMPLETE_STATUSES else None
    return DutyLine(
        key=key,
        agency_name=registry.name_on(key.agency, day, language),
        group=group,
        group_name=registry.group_name(group, language),
        title=obligation.title.in_language(language),
        clause=state.assessment.clause,
        due_at=span.due_at,
        due_on=vietnamese_locale.last_day_on_time(span.due_at, context.zone) if span.due_at else None,
        status=span.status,
        effective_at=span.effective_at,
        days_late=_days_late(state, context.as_of, context.zone),
        submissions=span.submissions,
        flags=span.flags,
        missing=span.missing,
        successors=tuple(registry.name_on(one, context.today, language) for one in _successor_ids(span.flags)),
        urging=urging.summarize_attempts(attempts, completed_at),
        evidence=span.evidence,
        standing=span.standing,
        event=state.assessment.event,
        revision=state.assessment.revision,
        since=span.from_at,
    )


def _successor_ids(flags: Iterable[str]) -> list[str]:
    return [flag.removeprefix(INHERITED_BY) for flag in flags if flag.startswith(INHERITED_BY)]


def registry_day(state: DutyState, as_of: datetime, zone: tzinfo) -> date:
    """Return the day on which the agency's name is looked up.

    It is the last day on time; for an undated duty it is the last day of its period or the day asked about, whichever
    is earlier. So a change of the registry after a period is over changes nothing in that period's report.
    """
    if state.span.due_at is not None:
        return vietnamese_locale.last_day_on_time(state.span.due_at, zone)
    today = as_of.astimezone(zone).date()
    if state.key.period is None:
        return today
    period = periods.parse(state.key.period)
    return min(today, date.fromordinal(period.ends_on.toordinal() - 1))


def _days_late(state: DutyState, as_of: datetime, zone: tzinfo) -> int | None:
    due_at = state.span.due_at
    if due_at is None:
        return None
    match state.span.status:
        case Status.LATE:
            return _days_past_due(due_at, state.span.effective_at or as_of, zone)
        case Status.OVERDUE | Status.INCOMPLETE if due_at <= as_of:
            return _days_past_due(due_at, as_of, zone)
        case _:
            return None


def _days_past_due(due_at: datetime, until: datetime, zone: tzinfo) -> int:
    return (until.astimezone(zone).date() - vietnamese_locale.last_day_on_time(due_at, zone)).days
