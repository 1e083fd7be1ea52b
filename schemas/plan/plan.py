"""The models of `plan.yaml`: one plan as effective-dated data, obligation by obligation (contract section 7)."""

from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from schemas.plan import values
from schemas.plan.document_model import DocumentModel
from schemas.plan.grading import GradeRule
from schemas.plan.indicators import Indicator, RequiredIndicator, define_in_place
from schemas.plan.periods import Period, Recurrence
from schemas.plan.report_form import ReportForm
from schemas.plan.timing import Anchor, DueRule, PartOfYear, Window
from schemas.plan.values import Bilingual, Identifier, IsoDuration, LocalDate, MediaType, NonBlank


def _require_known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        raise ValueError(f"{name!r} is not an IANA time zone; write for example Asia/Ho_Chi_Minh") from cause
    return name


def _require_sending_time(text: str) -> str:
    """Return *text* if the notifier can count so much time within the sending hours."""
    if not timedelta() <= values.parse_elapsed(text) <= LONGEST_SETTLE:
        raise ValueError(f"{text!r} is no time to wait before urging; write PT2H for two hours of sending")
    return text


LONGEST_SETTLE = timedelta(days=30)
"""Of sending time, which are more than two months of working days: longer is a typing mistake."""

# What a plan calls the agency above the reporting one, whoever that is on the day in question.
PARENT = "parent"


class ObligationKind(StrEnum):
    """The kind of duty that the plan's text imposes."""

    REPORTING = "reporting"
    ACTION_PROGRAMME = "action-programme"
    PERIODIC_REVIEW = "periodic-review"
    BUDGET = "budget"
    ORGANISATIONAL = "organisational"
    PUBLICITY = "publicity"
    SUPERVISION = "supervision"
    INSPECTION = "inspection"
    AGGREGATION = "aggregation"


class SourceDocument(DocumentModel):
    """A legal document that citations refer to."""

    id: Identifier
    number: NonBlank
    issued_on: LocalDate | None = None
    title: Bilingual | None = None


class Citation(DocumentModel):
    """The clause of the source document that imposes the duty, and its exact words."""

    source: Identifier
    clause: NonBlank
    quote: NonBlank


class SectionRequirement(DocumentModel):
    """A section that must have text. Without a title it is written as its id alone, in the file and on the bus."""

    id: Identifier
    title: Bilingual | None = None

    def label_in(self, language: str) -> str:
        """Return its title in *language*, or its id if it has no title."""
        return self.title.in_language(language) if self.title else self.id

    @model_serializer(mode="wrap")
    def _serialize_short(self, serialize: SerializerFunctionWrapHandler) -> object:
        return serialize(self) if self.title else self.id


def _expand_short_form(given: object) -> object:
    return given if isinstance(given, dict | SectionRequirement) else {"id": given}


# A section in either form that a plan may use: `results`, or `{id: results, title: {vi: …}}`.
Section = Annotated[
    SectionRequirement, BeforeValidator(_expand_short_form, json_schema_input_type=Identifier | SectionRequirement)
]


class AttachmentRequirement(DocumentModel):
    """How many attachments are required, and which media types they may have."""

    min: int = Field(default=1, ge=0)
    media_types: tuple[MediaType, ...] = ()


class Check(DocumentModel):
    """A condition on the submission in the Common Expression Language, and the message if it does not hold."""

    id: Identifier
    cel: NonBlank
    message: Bilingual


class Requirements(DocumentModel):
    """What a submission must contain to be complete. By default any submission is complete.

    With `parts: all` it names the report of every agency whose reports its obligation compiles.
    """

    sections: tuple[Section, ...] = ()
    indicators: tuple[RequiredIndicator, ...] = ()
    attachments: AttachmentRequirement = AttachmentRequirement(min=0)
    signed: bool = False
    checks: tuple[Check, ...] = ()
    parts: Literal["all"] | None = None


class Acceptance(DocumentModel):
    """What a submission is asked for and may lack without being incomplete."""

    indicators: tuple[Identifier, ...] = ()
    sections: tuple[Section, ...] = ()


class Escalation(DocumentModel):
    """Who else is alerted about an overdue duty: the agency's `parent`, or a contact list by name."""

    after: IsoDuration
    to: Identifier


class Notice(StrEnum):
    """What an agency is told of its duty besides reminders and urgings."""

    RECEIVED = "received"
    RETURNED = "returned"
    EXTENSION = "extension"
    EXEMPTION = "exemption"
    SUCCESSION = "succession"
    OPENING = "opening"


class Reminders(DocumentModel):
    """When an agency is reminded before and urged after its due instant, and of what else it is told.

    `at_most` bounds the repetitions of `then_every`. `settle` holds back the first urging for that much time within the
    sending hours, counted from due, so that reports in the post can arrive.
    """

    before: tuple[IsoDuration, ...] = ()
    after: tuple[IsoDuration, ...] = ()
    then_every: IsoDuration | None = None
    at_most: int | None = Field(default=None, ge=0)
    settle: Annotated[IsoDuration, AfterValidator(_require_sending_time)] = "PT0S"
    escalate: tuple[Escalation, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether these settings call for no alert."""
        return not (self.before or self.after or self.then_every or self.escalate or self.notices)


class ObligationVersion(DocumentModel):
    """The settings of an obligation that are in force on the local dates [from, to).

    `only` names the periods of the recurrence that are asked for, where these are not all. Several versions may be in
    force together where no period belongs to two of them.
    """

    from_: LocalDate = Field(alias="from")
    to: LocalDate | None = None
    recurrence: Recurrence
    only: Annotated[tuple[PartOfYear, ...], Field(min_length=1)] | None = None
    window: Window | None = None
    due: DueRule | None = None
    cut_off: Anchor | None = None
    requires: Requirements = Requirements()
    accepts: Acceptance = Acceptance()
    reminders: Reminders = Reminders()

    def find_section(self, section_id: str) -> SectionRequirement | None:
        """Return the section with that id, required or accepted, or None."""
        sections = (*self.requires.sections, *self.accepts.sections)
        return next((one for one in sections if one.id == section_id), None)

    def in_force_on(self, day: date) -> bool:
        """Whether this version is in force on the local date *day*."""
        return self.from_ <= day and (self.to is None or day < self.to)

    def asks_for(self, period: Period | None) -> bool:
        """Whether *period* is one of those that this version asks for, whatever its dates; None is no period."""
        if period is None:
            return not self.recurrence.is_periodic
        return period.recurrence is self.recurrence and (self.only is None or period.part in self.only)


class Compilation(DocumentModel):
    """The obligation whose reports, by the agencies below the reporting one, are consolidated in this one's."""

    obligation: Identifier
    of: Literal["children"] = "children"


class Obligation(DocumentModel):
    """A reporting or other duty that the plan imposes on a group of agencies.

    A `lead` agency (chủ trì) owes the report in place of addressees; those of `with` (phối hợp) are told and owe
    nothing. The recipient `parent` is the agency above the reporting one. `report_title` and `report_short` name the
    report in letters and in the annual report, as nouns; `{period}` in them is where the period stands.
    """

    id: Identifier
    citation: Citation
    title: Bilingual
    report_title: Bilingual | None = None
    report_short: Bilingual | None = None
    kind: ObligationKind = ObligationKind.REPORTING
    tracking: Literal["event", "milestone", "narrative"] = "event"
    addressees: Annotated[tuple[Identifier, ...], Field(min_length=1)] = ()
    lead: Identifier | None = None
    with_: tuple[Identifier, ...] = Field(default=(), alias="with")
    recipient: Identifier | None = None
    compiles: Compilation | None = None
    versions: Annotated[tuple[ObligationVersion, ...], Field(min_length=1)]

    @property
    def letter_title(self) -> Bilingual:
        """What letters and the annual report call the report."""
        return self.report_title or self.title

    @property
    def bearers(self) -> tuple[str, ...]:
        """The groups and agencies that owe the report: the lead, else the addressees."""
        return self.addressees if self.lead is None else (self.lead,)


class PlanSupersession(DocumentModel):
    """The plan whose place this one takes from the local date `from` on.

    `carries` names for an obligation of that plan the one of this plan for which its reports count.
    """

    plan: Identifier
    from_: LocalDate = Field(alias="from")
    carries: dict[Identifier, Identifier] = Field(default_factory=dict)


class Plan(DocumentModel):
    """A plan: the published set of obligations. `task` is the clause by which the recipient of reports urges."""

    plan: Identifier
    version: int = Field(ge=1)
    title: Bilingual
    issued_on: LocalDate
    issuer: Identifier | None = None
    zone: Annotated[str, AfterValidator(_require_known_zone)] = "Asia/Ho_Chi_Minh"
    registry: Identifier
    sources: tuple[SourceDocument, ...] = ()
    task: Citation | None = None
    tracked_from: LocalDate | None = None
    supersedes: PlanSupersession | None = None
    indicators: tuple[Indicator, ...] = ()
    grading: tuple[GradeRule, ...] = ()
    report: ReportForm = ReportForm()
    obligations: Annotated[tuple[Obligation, ...], Field(min_length=1)]

    def obligation(self, obligation_id: str) -> Obligation | None:
        """Return the obligation with that id, or None."""
        return next((one for one in self.obligations if one.id == obligation_id), None)

    def find_indicator(self, version: ObligationVersion, code: str) -> Indicator | None:
        """Return the indicator *code* as *version* asks for it, or None.

        What a requirement defines in place goes before what the plan declares.
        """
        declared = next((one for one in self.indicators if one.code == code), None)
        required = next((one for one in version.requires.indicators if one.code == code), None)
        if declared is None or required is None:
            return declared if required is None else define_in_place(required)
        given = {name: getattr(required, name) for name in ("title", "unit", "min", "max")}
        named = {name: value for name, value in given.items() if value is not None}
        return declared.model_copy(update={**named, "integer": declared.integer or required.integer})

    def list_indicators(self, version: ObligationVersion) -> tuple[Indicator, ...]:
        """Return the indicators that *version* requires or accepts, and the ratios of these alone, in the plan's order.

        Definitions in place follow the declared ones (contract section 8.1).
        """
        required = {one.code: one for one in version.requires.indicators}
        asked = required.keys() | set(version.accepts.indicators)
        declared = [one for one in self.indicators if one.code in asked or _is_ratio_of(one, asked)]
        codes = {one.code for one in self.indicators}
        return (*declared, *(define_in_place(one) for code, one in required.items() if code not in codes))


def _is_ratio_of(indicator: Indicator, codes: AbstractSet[str]) -> bool:
    formula = indicator.parse_formula()
    return formula is not None and codes >= set(formula.codes)
