"""Template context: what the message template needs to know about one alert.

The values are looked up in the plan and registry versions that the assessment cites: names, dates and the missing parts
of the report, in the reader's language if the documents have it. No sentence is made here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from schemas.events.assessments import StepKind
from schemas.plan import calendar, periods, recipients
from schemas.plan.calendar import FiguresWindow
from schemas.plan.indicators import Indicator
from schemas.plan.plan import ObligationVersion, Plan
from schemas.plan.registry import Registry
from services.notifier.core.scheduling.digest import DocumentVersions
from services.notifier.core.scheduling.routing import SELF, Language
from services.notifier.core.scheduling.scheduled_alert import RETURNED, DutyAlert, ScheduledAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A due instant as people say it: the last day, and a wall time `before` unless that day counts to its end.

    `days_left` counts local dates from the day of sending and is negative after the last day.
    """

    last_day: date
    before: time | None
    days_left: int
    has_passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSection:
    """A section without text."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingIndicator:
    """A figure that is not given, lies outside [low, high], or is a fraction though it must be whole."""

    title: str
    unit: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingAttachments:
    """Fewer than `least` attachments of the accepted media types."""

    least: int
    media_types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSignature:
    """Nobody signed the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCheck:
    """A check of the plan that the report does not pass; `message` is the plan's own text for it."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingReport:
    """The report of an agency that the compiled one does not name among its parts."""

    agency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingCorrection:
    """The recipient has returned the report, and no corrected one has come."""


# The alerts of which the agencies that co-operate in a report get copies.
COPIED = frozenset({StepKind.REMINDER, StepKind.URGING})

MissingPart = (
    MissingSection
    | MissingIndicator
    | MissingAttachments
    | MissingSignature
    | FailedCheck
    | MissingReport
    | MissingCorrection
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedCorrection:
    """Why the recipient returns a report, in its own words, and until when it asks for the corrected one.

    `keeps_time` tells that a complete correction in that time counts from when the report was first sent (ruling 14).
    """

    reason: str
    respond_by: Deadline | None
    keeps_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContext:
    """What a notice tells, ready for the template.

    `decided_on` is the day of the decision and `former` the deadline before it. `heirs` are named where the duty has
    passed on, since `passed_on`; `is_to_heir` tells whether one of them reads. `document` is the number of the report
    that was received, and `recorded_at` when it counts (local time); `days_late` is 0 where that is in time.
    """

    decided_on: date | None = None
    former: Deadline | None = None
    heirs: tuple[str, ...] = ()
    passed_on: date | None = None
    is_to_heir: bool = False
    document: str = ""
    recorded_at: datetime | None = None
    days_late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertContext:
    """One alert, ready for the template.

    `receiver` is the agency that receives the report, in whose name the alert speaks. `source` is the number of the
    cited document where the plan lists it (`has_number`), else the plan's title. A copy goes to an agency that
    co-operates in the report. `form_link` opens the web form; None if the reader may not use it.
    """

    kind: StepKind
    agency: str
    receiver: str | None
    title: str
    period: str | None
    clause: str
    source: str
    source_issued_on: date | None
    deadline: Deadline | None
    missing: tuple[MissingPart, ...]
    has_number: bool = True
    is_copy: bool = False
    correction: RequestedCorrection | None = None
    notice: NoticeContext = NoticeContext()
    window: FiguresWindow | None = None
    form_link: str | None = None

    @property
    def next_deadline(self) -> Deadline | None:
        """The deadline of the correction where one is asked for, else that of the duty."""
        return self.deadline if self.correction is None else self.correction.respond_by


def build_context(one: DutyAlert, documents: DocumentVersions, *, language: Language, now: datetime) -> AlertContext:
    """Return the context of an alert as of *now*.

    Raises `LookupError` if a cited version has not been published, or if the plan version has no such obligation.
    """
    plan = documents.plan(one.duty.plan, one.plan_version)
    registry = documents.registry(one.registry, one.registry_version)
    obligation = plan.obligation(one.duty.obligation)
    if obligation is None:
        raise LookupError(f"plan {plan.plan}@{plan.version} has no obligation {one.duty.obligation}")
    zone = ZoneInfo(plan.zone)
    today = now.astimezone(zone).date()
    source = next((found for found in plan.sources if found.id == obligation.citation.source), None)
    due_at = one.alert.due_at
    period = periods.parse(one.duty.period) if one.duty.period else None
    version = calendar.find_version(obligation, period, (due_at or now).astimezone(zone).date())
    return AlertContext(
        kind=one.alert.kind,
        agency=agency_name(one.duty.agency, registry, today, language) or one.duty.agency,
        receiver=_receiver_name(one, documents, now, language),
        title=obligation.letter_title.in_language(language),
        period=one.duty.period,
        clause=one.clause,
        source=source.number if source else plan.title.in_language(language),
        source_issued_on=source.issued_on if source else plan.issued_on,
        has_number=source is not None,
        is_copy=one.alert.kind in COPIED and one.alert.to != SELF,
        deadline=describe_deadline(due_at, zone, now) if due_at else None,
        missing=tuple(
            _name_agency(part, registry, today, language)
            for part in describe_missing(one.alert.missing, plan, version, language)
        ),
        correction=_describe_correction(one.alert, zone, now),
        notice=_describe_notice(one.alert, registry, zone, language=language, now=now),
        window=calendar.find_window(version, period),
    )


def _describe_notice(
    alert: ScheduledAlert, registry: Registry, zone: ZoneInfo, *, language: Language, now: datetime
) -> NoticeContext:
    told = alert.notice
    if told is None:
        return NoticeContext()
    passed_on = alert.at.astimezone(zone).date()
    heirs = tuple(agency_name(one, registry, passed_on, language) or one for one in told.heirs)
    counted_on = told.effective_at.astimezone(zone) if told.effective_at else None
    last_day = calendar.last_good_day(alert.due_at, zone) if alert.due_at else None
    return NoticeContext(
        decided_on=told.decided_on,
        former=describe_deadline(told.former_due_at, zone, now) if told.former_due_at else None,
        heirs=heirs,
        passed_on=passed_on if heirs else None,
        is_to_heir=alert.to in told.heirs,
        document=told.document,
        recorded_at=counted_on,
        days_late=max((counted_on.date() - last_day).days, 0) if counted_on and last_day else 0,
    )


def _name_agency(part: MissingPart, registry: Registry, day: date, language: Language) -> MissingPart:
    """Return a missing report with the name of its agency in place of the id, and any other part as it is."""
    if isinstance(part, MissingReport):
        return MissingReport(agency=agency_name(part.agency, registry, day, language) or part.agency)
    return part


def _describe_correction(alert: ScheduledAlert, zone: ZoneInfo, now: datetime) -> RequestedCorrection | None:
    asked = alert.correction
    if asked is None:
        return None
    return RequestedCorrection(
        reason=asked.reason,
        respond_by=describe_deadline(asked.respond_by, zone, now) if asked.respond_by else None,
        keeps_time=alert.missing == (RETURNED,),
    )


def describe_deadline(due_at: datetime, zone: ZoneInfo, now: datetime) -> Deadline:
    """Return the exclusive instant *due_at* as people say it: midnight is the end of the day before."""
    local = due_at.astimezone(zone)
    is_midnight = local.time() == time.min
    last_day = local.date() - timedelta(days=1) if is_midnight else local.date()
    return Deadline(
        last_day=last_day,
        before=None if is_midnight else local.time(),
        days_left=(last_day - now.astimezone(zone).date()).days,
        has_passed=now >= due_at,
    )


def agency_name(agency: str, registry: Registry, day: date, language: Language) -> str | None:
    """Return the name that *agency* bears on *day*, or None for a contact list."""
    found = registry.agency(agency)
    return found.name_on(day, language) if found else None


def describe_missing(
    missing: Iterable[str], plan: Plan, version: ObligationVersion, language: Language
) -> tuple[MissingPart, ...]:
    """Return the parts that *missing* names, as *version* of an obligation of *plan* asks for them.

    Rules names parts by their place in the plan: `sections.x`, `indicators.x`, `attachments`, `signed`, `checks.x` or
    `parts.x`, and the correction of a returned report `returned`. A name that this version does not have is taken for a
    section of that name, so that nothing missing is left out.
    """
    return tuple(_describe_part(name, plan, version, language) for name in missing)


def _describe_part(part: str, plan: Plan, version: ObligationVersion, language: Language) -> MissingPart:
    kind, _, name = part.partition(".")
    requires = version.requires
    match kind:
        case "sections":
            section = version.find_section(name)
            return MissingSection(title=section.label_in(language) if section else name)
        case "indicators":
            return _describe_indicator(plan.find_indicator(version, name), name, language)
        case "attachments":
            return MissingAttachments(least=requires.attachments.min, media_types=requires.attachments.media_types)
        case "signed":
            return MissingSignature()
        case "returned":
            return MissingCorrection()
        case "parts":
            return MissingReport(agency=name)
        case "checks":
            check = next((one for one in requires.checks if one.id == name), None)
            return FailedCheck(message=check.message.in_language(language) if check else name)
        case _:
            return MissingSection(title=name or kind)


def _describe_indicator(wanted: Indicator | None, code: str, language: Language) -> MissingIndicator:
    if wanted is None:
        return MissingIndicator(title=code)
    return MissingIndicator(
        title=wanted.label_in(language),
        unit=wanted.unit,
        low=wanted.min,
        high=wanted.max,
        is_whole=wanted.integer,
    )


def _receiver_name(one: DutyAlert, documents: DocumentVersions, now: datetime, language: Language) -> str | None:
    """Return the name of who receives the report, else that of the plan's issuer; None where neither is known."""
    plan = documents.plan(one.duty.plan, one.plan_version)
    registry = documents.registry(one.registry, one.registry_version)
    today = now.astimezone(ZoneInfo(plan.zone)).date()
    recipient = recipients.find_recipient(plan, registry, one.duty, today=today)
    names = (agency_name(agency, registry, today, language) for agency in (recipient, plan.issuer) if agency)
    return next((name for name in names if name), None)
