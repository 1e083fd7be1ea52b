"""What the page of an agency shows: its running duties explained, its years, whether it is reached, its names."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from schemas.events.assessments import Status
from schemas.events.deliveries import AttemptOutcome, Channel
from schemas.plan import periods
from schemas.plan.plan import Plan
from schemas.plan.registry import Agency, Name, Registry, Succession
from services.reporting.core import labels
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evidence.duty_facts import AcceptanceDetails, DutyFact, ReturnDetails
from services.reporting.core.urging import SENT, UNSENT, AlertAttempt, select_final_attempts
from services.reporting.dashboard.evidence.duty_view import CourseEntry, CourseKind, DutyView

_ARRIVED = frozenset({AttemptOutcome.CONFIRMED, AttemptOutcome.COMPLAINED})
_UNDATED = frozenset({Status.OPEN, Status.FULFILLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDuty:
    """A duty that is running, with everything that its status rests on."""

    view: DutyView

    @property
    def line(self) -> DutyLine:
        """The duty."""
        return self.view.line

    @property
    def alerts(self) -> tuple[CourseEntry, ...]:
        """What the agency was told, the latest first."""
        return tuple(one for one in self.view.course if one.kind is CourseKind.ALERT)

    @property
    def received(self) -> tuple[CourseEntry, ...]:
        """What was received of it, the latest first."""
        own = {one.fact.receiptid for one in self.view.evidence.facts if not _is_answer(one)}
        return tuple(one for one in self.view.course if one.kind is CourseKind.FACT and one.event in own)

    @property
    def answers(self) -> tuple[CourseEntry, ...]:
        """What the recipient answered, the latest first."""
        answers = {one.fact.receiptid for one in self.view.evidence.facts if _is_answer(one)}
        return tuple(one for one in self.view.course if one.kind is CourseKind.FACT and one.event in answers)

    @property
    def needed(self) -> tuple[str, ...]:
        """The parts that are missing from the report; all of them if no report has come."""
        if self.line.is_complete:
            return ()
        if self.view.standing is not None:
            return self.view.missing
        return self.view.list_required()


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsStrip:
    """The duties of one dated obligation, period by period."""

    title: str
    lines: tuple[DutyLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReach:
    """Whether the agency is reached by a channel: the last alerts that arrived, that were sent, and that failed.

    `sent_at`: a server took it and nothing more is known, which is later than `arrived_at`. `failed_at` is later than
    both.
    """

    channel: str
    arrived_at: datetime | None
    sent_at: datetime | None
    failed_at: datetime | None


def build_strips(lines: Iterable[DutyLine], plan: Plan) -> Iterator[YearsStrip]:
    """Yield one strip for each dated obligation, in the plan's order."""
    by_obligation: dict[str, list[DutyLine]] = {}
    for line in lines:
        if line.key.plan == plan.plan and line.due_at is not None and line.key.period is not None:
            by_obligation.setdefault(line.key.obligation, []).append(line)
    for obligation in plan.obligations:
        found = by_obligation.get(obligation.id)
        if found:
            ordered = sorted(found, key=lambda line: (line.due_on or date.max, periods.sort_key(line.key.period)))
            yield YearsStrip(title=found[0].title, lines=tuple(ordered))


def list_undated(lines: Iterable[DutyLine]) -> tuple[DutyLine, ...]:
    """Return the duties without a date."""
    return tuple(line for line in lines if line.status in _UNDATED)


def describe_reach(attempts: Iterable[AlertAttempt], language: str) -> tuple[ChannelReach, ...]:
    """Return by which channels the agency was reached, of all attempts at alerts to itself.

    Of an attempt whose outcome is unknown nothing is said: it may have arrived.
    """
    final = select_final_attempts(attempts)
    by_channel = ([one for one in final if one.channel is channel] for channel in Channel)
    reaches = (_describe_channel(found, language) for found in by_channel if found)
    return tuple(one for one in reaches if one is not None)


def _describe_channel(attempts: Sequence[AlertAttempt], language: str) -> ChannelReach | None:
    def find_last(outcomes: Container[AttemptOutcome], after: datetime | None) -> datetime | None:
        last = max((one.attempted_at for one in attempts if one.outcome in outcomes), default=None)
        return last if last is not None and (after is None or last > after) else None

    arrived_at = find_last(_ARRIVED, None)
    sent_at = find_last(SENT, arrived_at)
    failed_at = find_last(UNSENT, sent_at or arrived_at)
    if arrived_at is sent_at is failed_at is None:
        return None
    label = labels.CHANNEL_LABELS[attempts[0].channel].in_language(language)
    return ChannelReach(channel=label, arrived_at=arrived_at, sent_at=sent_at, failed_at=failed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyIdentity:
    """The names of an agency, the groups that it is in on the day asked about, and what became of it."""

    agency: Agency
    groups: tuple[str, ...]
    successions: tuple[Succession, ...]
    names: dict[str, str]

    @property
    def all_names(self) -> tuple[Name, ...]:
        """Every name, with the dates on which it was borne."""
        return self.agency.names


def describe_identity(registry: Registry, agency: Agency, *, day: date, language: str) -> AgencyIdentity:
    """Return names, groups and successions of an agency as of *day*."""
    titles = {one.id: one.name.in_language(language) for one in registry.groups}
    concerned = tuple(one for one in registry.successions if agency.id in (*one.from_, *one.to))
    others = {each for one in concerned for each in (*one.from_, *one.to)}
    found = {each: registry.agency(each) for each in others}
    return AgencyIdentity(
        agency=agency,
        groups=tuple(titles.get(one.id, one.id) for one in agency.groups if one.contains(day)),
        successions=concerned,
        names={each: each if one is None else one.name_on(day, language) for each, one in found.items()},
    )


def _is_answer(fact: DutyFact) -> bool:
    return isinstance(fact.details, ReturnDetails | AcceptanceDetails)
