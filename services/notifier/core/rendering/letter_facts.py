"""Letter facts: what one alert is about, looked up in the plan and registry versions that the assessment cites.

Names, dates and missing parts, in the reader's language where the documents have it. No sentence is made here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal, Protocol, Self
from zoneinfo import ZoneInfo

from msgspec import structs

from schemas.events.assessments import StepKind
from schemas.events.ids import DutyKey
from schemas.plan import calendar, periods
from schemas.plan.calendar import FiguresWindow
from schemas.plan.plan import Citation, Obligation, ObligationVersion, Plan
from schemas.plan.registry import Name, Registry
from services.notifier.core.scheduling import letter_history
from services.notifier.core.scheduling.letter_history import DutyHistory, LetterHistory
from services.notifier.core.scheduling.routing import SELF, DocumentVersions, Language
from services.notifier.core.scheduling.scheduled_alert import RETURNED, DutyAlert

# The alerts of which the agencies that co-operate in a report get copies.
COPIED = frozenset({StepKind.REMINDER, StepKind.URGING})
ASKING_NOTHING = frozenset({StepKind.RECEIVED, StepKind.EXEMPTION})
# What a letter about several reports asks of one of them, or tells of it.
Request = Literal[
    "send", "complete", "revise", "prepare", "extended", "take-over", "join", "received", "exempt", "passed"
]
_MEDIA_TYPES: Mapping[str, str] = {"application/pdf": "PDF"}


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
class CitedSource:
    """A legal document that a letter cites. `number` is empty for a plan that does not list its document."""

    number: str
    title: str
    issued_on: date | None
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedDecision:
    """The decision behind an extension or an exemption; the number is empty where the event has none."""

    number: str
    issued_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyNames:
    """The names that an agency bears on a day: in full, within sentences, and in text messages."""

    full: str
    brief: str
    sms: str

    @classmethod
    def of_office(cls, name: str) -> Self:
        """Return the names of an office that no registry lists."""
        brief = name.replace("Ủy ban nhân dân", "UBND")
        return cls(full=name, brief=brief, sms=brief)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """How the duty passed to `heirs`: since which day, and by which legal act (empty where the registry has none)."""

    heirs: tuple[AgencyNames, ...]
    on: date
    act: str


class LetterWords(Protocol):
    """A language, and how it names what a report lacks."""

    language: Language
    missing_signature: str
    missing_correction: str

    def section(self, title: str) -> str: ...

    def indicator(self, title: str, *, unit: str, low: Decimal | None, high: Decimal | None, is_whole: bool) -> str: ...

    def attachments(self, least: int, kinds: str) -> str: ...

    def report_of(self, agency: str) -> str: ...

    def join(self, names: Sequence[str]) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """One alert with everything that its letter may tell, ready to be put in words.

    `receiver` receives the report, and the letter speaks in its name. `window` is what the figures cover, `cut_off`
    its end where the plan states it alone. `respond_by` is the term of a correction.
    """

    one: DutyAlert
    history: DutyHistory
    plan: Plan
    registry: Registry
    obligation: Obligation
    zone: ZoneInfo
    agency: AgencyNames
    receiver: AgencyNames
    deadline: Deadline | None
    former: Deadline | None
    respond_by: Deadline | None
    source: CitedSource
    task: tuple[str, CitedSource] | None
    decision: CitedDecision | None
    passing: Passing | None
    window: FiguresWindow | None
    cut_off: date | None
    lacks: tuple[str, ...]
    requirements: tuple[str, ...]

    @property
    def kind(self) -> StepKind:
        return self.one.alert.kind

    @property
    def is_copy(self) -> bool:
        """Whether it goes to an agency that co-operates in the report."""
        return self.kind in COPIED and self.one.alert.to != SELF and not self.is_to_heir

    @property
    def is_to_heir(self) -> bool:
        """Whether it goes to who stands in the place of an agency that has ended, and not to that agency."""
        return self.one.alert.is_to_successor

    @property
    def takes_over(self) -> bool:
        """Whether it tells who owes the report from now on, as a report of its own."""
        return self.kind is StepKind.SUCCESSION and self.is_to_heir

    @property
    def is_inherited(self) -> bool:
        """Whether it is about a report that was overdue when its agency ended, and stays that agency's own."""
        return self.one.alert.is_inherited

    @property
    def asks_nothing(self) -> bool:
        """Whether its reader has nothing to do: a report was received, exempted, or passed to another office."""
        return self.kind in ASKING_NOTHING or (self.kind is StepKind.SUCCESSION and not self.takes_over)

    @property
    def is_overdue(self) -> bool:
        return self.deadline is not None and self.deadline.has_passed

    @property
    def is_first(self) -> bool:
        """Whether nobody has been reminded of this due instant before."""
        alert, history = self.one.alert, self.history
        return not (history.is_reminded or history.find_taken(StepKind.REMINDER, alert.due_at, before=alert))

    @property
    def has_news_of_deadline(self) -> bool:
        """Whether the deadline is new to the reader, or holds no more, so that it goes along as a calendar entry."""
        match self.kind:
            case StepKind.REMINDER:
                is_news = self.is_first and not self.is_copy
            case StepKind.OPENING | StepKind.EXTENSION | StepKind.EXEMPTION:
                is_news = True
            case _:
                is_news = self.takes_over
        return is_news and self.deadline is not None

    @property
    def ordinal(self) -> int:
        return letter_history.count_ordinal(self.history, self.one.alert)


def find_facts(
    one: DutyAlert, documents: DocumentVersions, words: LetterWords, *, now: datetime, history: LetterHistory
) -> LetterFacts:
    """Return the facts of the letter about an alert as of *now*.

    Raises `LookupError` if a cited version has not been published, or if the plan version has no such obligation.
    """
    plan, registry, obligation = _find_documents(one, documents)
    zone, language, alert, told = ZoneInfo(plan.zone), words.language, one.alert, one.alert.notice
    today = now.astimezone(zone).date()
    period = periods.parse(one.duty.period) if one.duty.period else None
    version = calendar.find_version(obligation, period, (alert.due_at or now).astimezone(zone).date())
    window = calendar.find_window(version, period)
    names = _PartNames(plan=plan, version=version, registry=registry, day=today, words=words)
    missing = (part for part in alert.missing if not (alert.correction and part == RETURNED))

    def say(instant: datetime | None) -> Deadline | None:
        return describe_deadline(instant, zone, now) if instant else None

    return LetterFacts(
        one=one,
        history=history.of(str(one.duty)),
        plan=plan,
        registry=registry,
        obligation=obligation,
        zone=zone,
        agency=name_agency(one.duty.agency, registry, today, language),
        receiver=_name_receiver(plan, registry, one, today, language),
        deadline=say(alert.due_at),
        former=say(told.former_due_at) if told else None,
        respond_by=say(alert.correction.respond_by) if alert.correction else None,
        source=_cite(plan, obligation.citation.source, registry, today, language),
        task=_cite_task(plan.task, plan, registry, today, language),
        decision=CitedDecision(number=told.decision, issued_on=told.decided_on) if told and told.decided_on else None,
        passing=_find_passing(one, registry, today, language),
        window=window,
        cut_off=calendar.find_cut_off(version, period) if version.cut_off is not None and window is None else None,
        lacks=tuple(map(names.name, missing)),
        requirements=tuple(map(names.name, _list_requirements(version))),
    )


def merge_inherited(facts: Iterable[LetterFacts], words: LetterWords) -> list[LetterFacts]:
    """Return *facts*, each report that an heir takes over once, from however many offices."""
    merged: dict[DutyKey, list[LetterFacts]] = {}
    for one in facts:
        merged.setdefault(structs.replace(one.one.duty, agency="") if one.takes_over else one.one.duty, []).append(one)
    return [
        one
        for several in merged.values()
        for one in ([_merge_facts(several, words)] if several[0].takes_over else several)
    ]


def _merge_facts(several: Sequence[LetterFacts], words: LetterWords) -> LetterFacts:
    names = AgencyNames(
        full=words.join([one.agency.full for one in several]),
        brief=words.join([one.agency.brief for one in several]),
        sms=words.join([one.agency.sms for one in several]),
    )
    return replace(several[0], agency=names)


def _find_documents(one: DutyAlert, documents: DocumentVersions) -> tuple[Plan, Registry, Obligation]:
    plan = documents.plan(one.duty.plan, one.plan_version)
    obligation = plan.obligation(one.duty.obligation)
    if obligation is None:
        raise LookupError(f"plan {plan.plan}@{plan.version} has no obligation {one.duty.obligation}")
    return plan, documents.registry(one.registry, one.registry_version), obligation


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


def name_agency(agency: str, registry: Registry, day: date, language: Language) -> AgencyNames:
    """Return the names that *agency* bears on *day*; a contact list is called by its id, which no letter prints."""
    found = registry.agency(agency)
    if found is None:
        return AgencyNames(full=agency, brief=agency, sms=agency)
    full = found.name_on(day, language)
    return AgencyNames(
        full=full, brief=_name_on(found.brief, day, language) or full, sms=_name_on(found.sms, day, language) or full
    )


def _name_on(names: Iterable[Name], day: date, language: Language) -> str:
    borne = next((one for one in names if one.contains(day)), None)
    return "" if borne is None else (borne.en or "" if language == "en" else borne.vi)


def _name_receiver(plan: Plan, registry: Registry, one: DutyAlert, today: date, language: Language) -> AgencyNames:
    """Return the names of who receives the report, else of the plan's issuer, else the plan's title.

    Nobody is above an office that has ended: its report goes where its heir's goes.
    """
    heirs = one.alert.notice.heirs if one.alert.notice else ()
    has_ended = heirs and not registry.exists_on(one.duty.agency, today)
    duty = structs.replace(one.duty, agency=heirs[0]) if has_ended else one.duty
    recipient = calendar.find_recipient(plan, registry, duty, today=today)
    known = next((one for one in (recipient, plan.issuer) if one and registry.agency(one)), None)
    if known is not None:
        return name_agency(known, registry, today, language)
    title = plan.title.in_language(language)
    return AgencyNames(full=title, brief=title, sms=title)


def _cite(plan: Plan, source_id: str, registry: Registry, today: date, language: Language) -> CitedSource:
    source = next((found for found in plan.sources if found.id == source_id), None)
    if source is None:
        return CitedSource(number="", title=plan.title.in_language(language), issued_on=plan.issued_on)
    is_plan = source.issued_on == plan.issued_on and plan.issuer is not None and registry.agency(plan.issuer)
    return CitedSource(
        number=source.number,
        title=source.title.vi if source.title else "",
        issued_on=source.issued_on,
        issuer=name_agency(plan.issuer, registry, today, language).brief if is_plan and plan.issuer else "",
    )


def _cite_task(
    task: Citation | None, plan: Plan, registry: Registry, today: date, language: Language
) -> tuple[str, CitedSource] | None:
    return None if task is None else (task.clause, _cite(plan, task.source, registry, today, language))


def _find_passing(one: DutyAlert, registry: Registry, today: date, language: Language) -> Passing | None:
    heirs = one.alert.notice.heirs if one.alert.notice else ()
    if not heirs:
        return None
    agency = one.duty.agency
    day = today if registry.exists_on(agency, today) else registry.lifetimes[agency].to or today
    acts = (act.act for act in registry.successions if agency in act.from_ and act.on == day)
    named = tuple(name_agency(heir, registry, day, language) for heir in heirs)
    return Passing(heirs=named, on=day, act=next((act for act in acts if act), ""))


def _list_requirements(version: ObligationVersion) -> Iterable[str]:
    """Yield what *version* requires, by the names that rules gives to missing parts."""
    requires = version.requires
    yield from (f"sections.{one.id}" for one in requires.sections)
    yield from (f"indicators.{one.code}" for one in requires.indicators)
    if requires.attachments.min:
        yield "attachments"
    if requires.signed:
        yield "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartNames:
    """Names the parts of a report as a version of an obligation asks for them.

    Rules names parts by their place in the plan: `sections.x`, `indicators.x`, `attachments`, `signed`, `checks.x` or
    `parts.x`, and the correction of a returned report `returned`. A name that this version does not have is taken for a
    section of that name, so that nothing missing is left out.
    """

    plan: Plan
    version: ObligationVersion
    registry: Registry
    day: date
    words: LetterWords

    def name(self, part: str) -> str:
        kind, _, name = part.partition(".")
        words, requires, language = self.words, self.version.requires, self.words.language
        match kind:
            case "sections":
                section = self.version.find_section(name)
                return words.section(section.label_in(language) if section else name)
            case "indicators":
                return self._name_indicator(name)
            case "attachments":
                kinds = ", ".join(_MEDIA_TYPES.get(one, one) for one in requires.attachments.media_types)
                return words.attachments(requires.attachments.min, kinds)
            case "signed":
                return words.missing_signature
            case "returned":
                return words.missing_correction
            case "parts":
                return words.report_of(name_agency(name, self.registry, self.day, language).full)
            case "checks":
                check = next((one for one in requires.checks if one.id == name), None)
                return check.message.in_language(language) if check else name
            case _:
                return words.section(name or kind)

    def _name_indicator(self, code: str) -> str:
        wanted = self.plan.find_indicator(self.version, code)
        if wanted is None:
            return self.words.indicator(code, unit="", low=None, high=None, is_whole=False)
        return self.words.indicator(
            wanted.label_in(self.words.language),
            unit=wanted.unit or "",
            low=wanted.min,
            high=wanted.max,
            is_whole=wanted.integer,
        )
