"""The duty that a link opens, as its page shows it: whose it is, under which words, by when, and what is asked.

Plan and registry are known here; when the duty falls due, and how it stands, is for rules to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status
from schemas.events.ids import DutyKey
from schemas.plan import instants, periods
from schemas.plan.plan import Obligation, ObligationVersion, Plan
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from services.intake.core.forms import date_parsing, form_fields
from services.intake.core.forms.form_fields import FormField
from services.intake.core.forms.form_to_event import Named
from services.intake.core.problems import Said

PlanLookup = Callable[[str], tuple[Plan, Registry] | None]
"""Finds the latest version of a plan, with its registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunStatus:
    """What rules says of a duty with one report more. `is_from_record` where it answered from the record of the agency."""

    status: Status
    due_at: datetime | None
    submissions: int
    missing: tuple[str, ...]
    is_from_record: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDuty:
    """A duty ready to be shown."""

    key: DutyKey
    plan: Plan
    registry: Registry
    obligation: Obligation
    day: date

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.plan.zone)

    @property
    def named(self) -> Named:
        """The duty as an event names it."""
        key = self.key
        return Named(plan=key.plan, obligation=key.obligation, period=key.period, agency=key.agency)

    @property
    def title(self) -> Said:
        title = self.obligation.title
        return Said(vi=title.vi, en=title.in_language("en"))

    @property
    def period(self) -> Said | None:
        return date_parsing.render_period(self.key.period) if self.key.period else None

    @property
    def agency(self) -> Said:
        return self._name(self.key.agency)

    @property
    def recipient(self) -> Said | None:
        wanted = self.obligation.recipient or self.plan.issuer
        return self._name(wanted) if wanted else None

    @property
    def source(self) -> str:
        """The number of the document that lays the duty down, with its date."""
        cited = self.obligation.citation.source
        source = next((one for one in self.plan.sources if one.id == cited), None)
        if source is None:
            return self.plan.plan
        return f"{source.number} ({source.issued_on:%d/%m/%Y})" if source.issued_on else source.number

    def version(self, due_at: datetime | None) -> ObligationVersion:
        """Return the version that rules on the due day, on the last day of the period, or today."""
        day = self.day
        if due_at is not None:
            day = instants.in_zone(due_at, self.zone).date()
        elif self.key.period is not None:
            day = periods.parse(self.key.period).ends_on
        in_force = (one for one in self.obligation.versions if one.in_force_on(day))
        return next(in_force, self.obligation.versions[-1])

    def questions(self, due_at: datetime | None) -> tuple[FormField, ...]:
        return form_fields.fields_of(self.version(due_at).requires)

    def lacking(self, missing: tuple[str, ...], due_at: datetime | None) -> list[tuple[str, Said]]:
        """Return what rules calls missing with the question to go to, in words."""
        labels = {one.key: one for one in self.questions(due_at)}
        checks = {f"checks.{one.id}": one.message for one in self.version(due_at).requires.checks}
        return [_missing_part(name, labels, checks) for name in missing]

    def _name(self, agency_id: str) -> Said:
        agency = self.registry.agency(agency_id)
        if agency is None:
            return Said(vi=agency_id, en=agency_id)
        return Said(vi=agency.name_on(self.day, "vi"), en=agency.name_on(self.day, "en"))


def find_duty(key: DutyKey, documents: PlanLookup, now: datetime) -> FormDuty | None:
    """Return the duty of *key*, or nothing where the plan or the obligation is not published, or no such period is."""
    found = documents(key.plan)
    obligation = None if found is None else found[0].obligation(key.obligation)
    if found is None or obligation is None or not _is_period(key.period):
        return None
    plan, registry = found
    day = instants.in_zone(now, ZoneInfo(plan.zone)).date()
    return FormDuty(key=key, plan=plan, registry=registry, obligation=obligation, day=day)


def _is_period(text: str | None) -> bool:
    try:
        return text is None or bool(periods.parse(text))
    except ValueError:
        return False


def _missing_part(name: str, asked: dict[str, FormField], checks: dict[str, Bilingual]) -> tuple[str, Said]:
    check = checks.get(name)
    if check is not None:
        return "", Said(vi=check.vi, en=check.in_language("en"))
    key = form_fields.key_of_missing(name)
    question = asked.get(key)
    if question is None:
        return "", Said(vi=name, en=name)
    unit, hint = question.unit, question.hint
    vi = ", ".join(part for part in (unit.vi if unit else "", hint.vi) if part)
    en = ", ".join(part for part in (unit.en if unit else "", hint.en) if part)
    return key, Said(
        vi=question.label.vi + (f" ({vi})" if vi else ""), en=question.label.en + (f" ({en})" if en else "")
    )
