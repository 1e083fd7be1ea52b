"""The parts of a message, and the phrases that a language has to provide. `vietnamese` and `english` provide them.

`message_template` decides which phrases a message has and in which order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from schemas.plan.calendar import FiguresWindow
from schemas.plan.periods import Period
from services.notifier.core.rendering.template_context import AlertContext, Deadline, NoticeContext


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A labelled row of a mail with one value or a list of values. A row with a link has the link's text as value."""

    label: str
    values: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailContent:
    """The whole text of a mail, not yet laid out as plain text or HTML. Each item of a digest is a group of rows.

    `dashboard` holds the link to the reader's own page of the dashboard, if there is one.
    """

    subject: str
    greeting: str
    opening: str
    items: tuple[tuple[MessageRow, ...], ...]
    dashboard: MessageRow | None
    closing: tuple[str, ...]
    signature: str
    footer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLabels:
    """The labels of the rows of one alert."""

    title: str
    agency: str
    receiver: str
    basis: str
    deadline: str
    state: str
    missing: str
    correction: str
    respond_by: str
    form: str
    dashboard: str
    window: str
    former_deadline: str
    decision: str
    heirs: str
    document: str
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedTexts:
    """The texts of a language that do not depend on the alert.

    `default_signature` is used if the receiver of the report is not known, `default_reader` for a reader without a
    name. `not_received`, `not_due_yet`, `incomplete` and `returned` are the states of a report. `keeps_time` and
    `no_urging` say what holds until the time to correct a returned report is over. `missing_inline` is used within a
    sentence, `missing_heading` begins one.
    """

    labels: RowLabels
    default_signature: str
    default_reader: str
    closing: str
    footer: str
    open_form: str
    open_dashboard: str
    clause: str
    due: str
    no_due_date: str
    nearest_due: str
    not_received: str
    not_due_yet: str
    incomplete: str
    returned: str
    keeps_time: str
    no_urging: str
    received: str
    exempt: str
    passed_on: str
    missing_correction: str
    missing_inline: str
    missing_heading: str
    missing_signature: str
    unit: str
    range_from: str
    range_to: str
    whole_number: str
    units: Mapping[str, str]
    media_types: Mapping[str, str]


class Phrases(Protocol):
    """One language: its fixed texts, and the sentences that it builds in its own way.

    *title* is the title of the obligation with its period, *due* the deadline as a phrase; *speaker* addresses
    *reader*.
    """

    texts: FixedTexts

    def greeting(self, reader: str | None) -> str: ...

    def subject(self, alert: AlertContext, title: str) -> str: ...

    def title(self, title: str, period: str | None) -> str: ...

    def subject_of_many(self, count: int, sources: str) -> str: ...

    def opening(self, alert: AlertContext, *, speaker: str, due: str, reader: str) -> str: ...

    def opening_of_many(self, count: int, *, speaker: str, reader: str) -> str: ...

    def basis(self, alert: AlertContext) -> str: ...

    def report(self, alert: AlertContext, title: str) -> str: ...

    def report_in_brief(self, alert: AlertContext, of_period: str) -> str: ...

    def sms(self, alert: AlertContext, report: str) -> str: ...

    def sms_of_many(self, count: int, *, sources: str, reader: str) -> str: ...

    def section(self, title: str) -> str: ...

    def indicator(self, title: str) -> str: ...

    def attachments(self, least: int) -> str: ...

    def window(self, window: FiguresWindow) -> str: ...

    def day(self, day: date) -> str: ...

    def recorded_at(self, notice: NoticeContext) -> str: ...

    def report_of(self, agency: str) -> str: ...

    def last_day(self, deadline: Deadline) -> str: ...

    def days_left(self, deadline: Deadline) -> str: ...

    def period(self, period: Period) -> str: ...

    def number(self, value: Decimal) -> str: ...
