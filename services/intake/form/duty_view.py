"""A duty as its form shows it: the agency, the citation that imposes the duty, the due date and the fields.

Knows plan and registry. Only rules can say when the duty falls due and what its status is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from schemas.content import citations, compiled_parts
from schemas.events.assessments import Status
from schemas.plan import calendar, periods
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from services.intake.core.forms import date_parsing, form_fields
from services.intake.core.forms.form_fields import FormField
from services.intake.core.requested_report import PublishedDuty

# Returns the latest version of a plan with its registry, or None if it is not published.
PlanLookup = Callable[[str], tuple[Plan, Registry] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedRevision:
    """What the recipient asks for by returning the report that has the event id `submission` (ruling 14)."""

    submission: str
    reason: str
    respond_by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunStatus:
    """The status that a duty would have with one more report, as rules answers a dry run.

    `is_from_record` if rules knew all facts of the duty; otherwise extensions, for example, are not considered.
    """

    status: Status
    due_at: datetime | None
    submissions: int
    missing: tuple[str, ...]
    is_from_record: bool
    revision: RequestedRevision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormDuty(PublishedDuty):
    """A published duty in the words of its form.

    `filed_by` is the successor that reports on behalf of its agency, which has ended; None where that agency reports.
    """

    filed_by: str | None = None

    @property
    def title(self) -> Bilingual:
        title = self.obligation.title
        return Bilingual.of(vi=title.vi, en=title.in_language("en"))

    @property
    def period(self) -> Bilingual | None:
        return date_parsing.render_period(self.key.period) if self.key.period else None

    @property
    def titled_period(self) -> Bilingual:
        """The title with its period."""
        title, period = self.title, self.key.period
        return Bilingual.of(
            vi=periods.add_period(title.vi, period, "vi"),
            en=periods.add_period(title.in_language("en"), period, "en"),
        )

    @property
    def agency(self) -> Bilingual:
        return self._name(self.key.agency)

    @property
    def filer(self) -> Bilingual | None:
        """Who reports on behalf of the agency, if not that agency itself."""
        return None if self.filed_by is None else self._name(self.filed_by)

    @property
    def recipient(self) -> Bilingual | None:
        """Who receives the report. Nobody is above an office that has ended: it is where its successor's reports go."""
        key = self.key if self.filed_by is None else msgspec.structs.replace(self.key, agency=self.filed_by)
        recipient = calendar.find_recipient(self.plan, self.registry, key, today=self.day)
        return self._name(recipient) if recipient else None

    @property
    def source(self) -> Bilingual:
        """The document that lays the duty down, by number and date; by the plan's title where none is listed."""
        cited = self.obligation.citation.source
        source = next((one for one in self.plan.sources if one.id == cited), None)
        if source is None:
            return Bilingual.of(vi=self.plan.title.vi, en=self.plan.title.in_language("en"))
        dated = f" ({source.issued_on:%d/%m/%Y})" if source.issued_on else ""
        named = citations.name_document(source)
        return Bilingual.of(vi=f"{named.vi}{dated}", en=f"{named.in_language('en')}{dated}")

    @property
    def clause(self) -> Bilingual:
        """The clause of the document."""
        return citations.name_clause(self.obligation.citation.clause)

    def fields(self, due_at: datetime | None) -> tuple[FormField, ...]:
        """Return the fields of the form: what the agency is asked for, required or not."""
        parts = compiled_parts.list_parts(self.plan, self.registry, self.key)
        return form_fields.build_fields(self.version(due_at).requires, self.list_requested(due_at), parts)

    def describe_missing(self, missing: tuple[str, ...], due_at: datetime | None) -> list[tuple[str, Bilingual]]:
        """Return for each part that rules has named as *missing* the key of its field ("" for none) and its label."""
        fields = {one.key: one for one in self.fields(due_at)}
        checks = {f"checks.{one.id}": one.message for one in self.version(due_at).requires.checks}
        return [_missing_part(name, fields, checks) for name in missing]

    def _name(self, agency_id: str) -> Bilingual:
        agency = self.registry.agency(agency_id)
        if agency is None:
            return Bilingual.of(vi=agency_id, en=agency_id)
        return Bilingual.of(vi=agency.name_on(self.day, "vi"), en=agency.name_on(self.day, "en"))


def _missing_part(name: str, fields: dict[str, FormField], checks: dict[str, Bilingual]) -> tuple[str, Bilingual]:
    check = checks.get(name)
    if check is not None:
        return "", Bilingual.of(vi=check.vi, en=check.in_language("en"))
    key = form_fields.key_of_missing(name)
    field = fields.get(key)
    if field is None:
        return "", Bilingual.of(vi=name, en=name)
    unit, hint = field.unit, field.hint
    vi = ", ".join(part for part in (unit.vi if unit else "", hint.vi) if part)
    en = ", ".join(part for part in (unit.en if unit else "", hint.en) if part)
    return key, Bilingual.of(
        vi=field.label.vi + (f" ({vi})" if vi else ""), en=field.label.in_language("en") + (f" ({en})" if en else "")
    )
