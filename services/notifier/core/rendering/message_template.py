"""Message template: the parts of an alert message, their order, and the layout of a mail as plain text and as HTML.

A part about which nothing is known is left out. The module holds no word of any language: those are in the phrases that
the template is given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import indent
from typing import assert_never

from schemas.events.assessments import StepKind
from schemas.plan import periods
from services.notifier.core.rendering.phrases import MailContent, MessageRow, Phrases
from services.notifier.core.rendering.template_context import (
    AlertContext,
    Deadline,
    FailedCheck,
    MissingAttachments,
    MissingCorrection,
    MissingIndicator,
    MissingPart,
    MissingReport,
    MissingSection,
    MissingSignature,
    NoticeContext,
    RequestedCorrection,
)

SETTLED = frozenset({StepKind.RECEIVED, StepKind.EXEMPTION})  # after these the agency owes nothing for the period

MAX_DETAILED_ALERTS = 6  # a digest of more has one line for each alert: a superior agency reads down a list

# HTML mail: styles are inline and nothing is fetched, because mail programs drop style sheets and block remote content.
_STYLE = "font-family:'Times New Roman',Tinos,'Liberation Serif',serif;font-size:17px;line-height:1.5;color:#1c1c1c"
_PAGE = "max-width:640px;margin:0 auto;padding:24px 28px;background:#ffffff;border-top:4px solid #a3171c"
_TABLE = "width:100%;border-collapse:collapse;margin:0 0 18px;background:#faf7f2;border-left:3px solid #c8963e"
_LABEL = "text-align:left;vertical-align:top;padding:5px 12px;width:31%;font-weight:normal;color:#5c5348"
_VALUE = "vertical-align:top;padding:5px 12px;white-space:pre-line"
_BUTTON = (
    "display:inline-block;padding:7px 16px;background:#a3171c;color:#ffffff;text-decoration:none;border-radius:4px"
)
_FOOT = "font-size:14px;color:#6b6459;border-top:1px solid #ddd5c8;padding-top:10px;margin:22px 0 0"


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """Messages in one language. *reader* is the name of the agency that reads, or None for a contact list."""

    phrases: Phrases

    def compose_mail(
        self, alerts: Sequence[AlertContext], reader: str | None, *, dashboard_link: str | None = None
    ) -> MailContent:
        """Return the mail about *alerts*, the most pressing of which comes first; *dashboard_link* is the reader's."""
        texts = self.phrases.texts
        label, opening = texts.labels.dashboard, (texts.open_dashboard,)
        return MailContent(
            subject=self._subject(alerts),
            greeting=self.phrases.greeting(reader),
            opening=self._opening(alerts, reader or texts.default_reader),
            items=self._items(alerts),
            dashboard=MessageRow(label=label, values=opening, link=dashboard_link) if dashboard_link else None,
            closing=(*self._terms_of_correction(alerts), texts.closing),
            signature=self._signature(alerts),
            footer=texts.footer,
        )

    def compose_sms(self, alerts: Sequence[AlertContext], reader: str | None) -> tuple[str, ...]:
        """Return wordings of the SMS about *alerts*, from the fullest to the shortest."""
        if len(alerts) > 1:
            return self._compose_sms_of_many(alerts, reader or self.phrases.texts.default_reader)
        alert = alerts[0]
        full = self.phrases.report(alert, self._title(alert))
        brief = self.phrases.report_in_brief(alert, self._of_period(alert))
        return self._compose_sms_of_one(alert, full), self._compose_sms_of_one(alert, brief)

    def _subject(self, alerts: Sequence[AlertContext]) -> str:
        if len(alerts) > 1:
            return self.phrases.subject_of_many(len(alerts), _join_sources(alerts))
        alert = alerts[0]
        names_due = alert.next_deadline is not None and alert.kind not in SETTLED and not _has_passed_on(alert)
        ending = f" – {self._due(alert.next_deadline)}" if alert.next_deadline and names_due else ""
        return f"{self.phrases.subject(alert, self._title(alert))}{ending}"

    def _opening(self, alerts: Sequence[AlertContext], reader: str) -> str:
        alert, speaker = alerts[0], self._signature(alerts)
        if len(alerts) > 1:
            return self.phrases.opening_of_many(len(alerts), speaker=speaker, reader=reader)
        due = self._due(alert.next_deadline) if alert.next_deadline else self.phrases.texts.no_due_date
        return self.phrases.opening(alert, speaker=speaker, due=due, reader=reader)

    def _signature(self, alerts: Sequence[AlertContext]) -> str:
        return alerts[0].receiver or self.phrases.texts.default_signature

    def _items(self, alerts: Sequence[AlertContext]) -> tuple[tuple[MessageRow, ...], ...]:
        """Return the groups of rows; where the reports go to different agencies each says where its own goes."""
        names_receiver = len({alert.receiver for alert in alerts}) > 1
        if _is_list(alerts):
            return (tuple(self._list_row(alert, names_receiver=names_receiver) for alert in alerts),)
        return tuple(self._detail_rows(alert, names_receiver=names_receiver) for alert in alerts)

    def _detail_rows(self, alert: AlertContext, *, names_receiver: bool) -> tuple[MessageRow, ...]:
        texts = self.phrases.texts
        labels = texts.labels
        rows = [
            MessageRow(label=labels.title, values=(self._title(alert),)),
            MessageRow(label=labels.agency, values=(alert.agency,)),
        ]
        if names_receiver and alert.receiver:
            rows.append(MessageRow(label=labels.receiver, values=(alert.receiver,)))
        rows.append(MessageRow(label=labels.basis, values=(self.phrases.basis(alert),)))
        if alert.correction:
            rows.extend(self._correction_rows(alert.correction))
        if alert.window:
            rows.append(MessageRow(label=labels.window, values=(self.phrases.window(alert.window),)))
        if alert.deadline:
            due = self.phrases.last_day(alert.deadline)
            # Who owes nothing any more is not told how long ago it was due.
            term = due if alert.kind in SETTLED else self._last_day_and_days_left(alert.deadline)
            rows.append(MessageRow(label=labels.deadline, values=(term,)))
        rows.extend(self._notice_rows(alert.notice))
        rows.append(MessageRow(label=labels.state, values=(self._state(alert),)))
        # The letter of a return names the correction with its reason in a row of its own.
        missing = [one for one in alert.missing if not (alert.correction and isinstance(one, MissingCorrection))]
        if missing:
            rows.append(MessageRow(label=labels.missing, values=tuple(map(self._name_missing_part, missing))))
        if alert.form_link:
            rows.append(MessageRow(label=labels.form, values=(texts.open_form,), link=alert.form_link))
        return tuple(rows)

    def _notice_rows(self, notice: NoticeContext) -> Iterator[MessageRow]:
        labels = self.phrases.texts.labels
        if notice.former is not None:
            yield MessageRow(label=labels.former_deadline, values=(self.phrases.last_day(notice.former),))
        if notice.decided_on is not None:
            yield MessageRow(label=labels.decision, values=(self.phrases.day(notice.decided_on),))
        if notice.heirs:
            yield MessageRow(label=labels.heirs, values=(", ".join(notice.heirs),))
        if notice.document:
            yield MessageRow(label=labels.document, values=(notice.document,))
        if notice.recorded_at is not None:
            yield MessageRow(label=labels.recorded_at, values=(self.phrases.recorded_at(notice),))

    def _correction_rows(self, correction: RequestedCorrection) -> Iterator[MessageRow]:
        labels = self.phrases.texts.labels
        yield MessageRow(label=labels.correction, values=(f"“{correction.reason}”",))
        if correction.respond_by:
            term = self._last_day_and_days_left(correction.respond_by)
            yield MessageRow(label=labels.respond_by, values=(term,))

    def _terms_of_correction(self, alerts: Sequence[AlertContext]) -> tuple[str, ...]:
        """Return what holds until the time to respond is over; a digest of several alerts has no room for it."""
        correction = alerts[0].correction
        if len(alerts) > 1 or correction is None:
            return ()
        kept = (self.phrases.texts.keeps_time,) if correction.keeps_time else ()
        sentences = (*kept, self.phrases.texts.no_urging) if correction.respond_by else kept
        return (" ".join(sentences),) if sentences else ()

    def _list_row(self, alert: AlertContext, *, names_receiver: bool) -> MessageRow:
        texts = self.phrases.texts
        parts = [f"{self._title(alert)} ({texts.clause} {alert.clause}, {alert.source})"]
        if names_receiver and alert.receiver:
            parts.append(f"{texts.labels.receiver}: {alert.receiver}")
        if alert.deadline:
            parts.append(f"{texts.due} {self._last_day_and_days_left(alert.deadline)}")
        parts.append(f"{texts.missing_inline} {self._join_missing(alert)}" if alert.missing else self._state(alert))
        return MessageRow(label=alert.agency, values=("; ".join(parts),))

    def _state(self, alert: AlertContext) -> str:
        texts = self.phrases.texts
        if alert.kind is StepKind.RECEIVED:
            return texts.received
        if alert.kind is StepKind.EXEMPTION:
            return texts.exempt
        if _has_passed_on(alert):
            return texts.passed_on
        if any(isinstance(part, MissingCorrection) for part in alert.missing):
            return texts.returned
        if alert.missing:
            return texts.incomplete
        is_early = alert.deadline is not None and not alert.deadline.has_passed
        return texts.not_due_yet if is_early else texts.not_received

    def _title(self, alert: AlertContext) -> str:
        return self.phrases.title(alert.title, alert.period)

    def _of_period(self, alert: AlertContext) -> str:
        return f" {self.phrases.period(periods.parse(alert.period))}" if alert.period else ""

    def _due(self, deadline: Deadline) -> str:
        return f"{self.phrases.texts.due} {self.phrases.last_day(deadline)}"

    def _last_day_and_days_left(self, deadline: Deadline) -> str:
        return f"{self.phrases.last_day(deadline)} ({self.phrases.days_left(deadline)})"

    def _join_missing(self, alert: AlertContext) -> str:
        """Return the missing parts within a sentence; the full stop of a check's own text would end the sentence."""
        return "; ".join(self._name_missing_part(part).removesuffix(".") for part in alert.missing)

    def _name_missing_part(self, part: MissingPart) -> str:
        match part:
            case MissingSection():
                return self.phrases.section(part.title)
            case MissingIndicator():
                return f"{self.phrases.indicator(part.title)}{self._unit_and_range(part)}"
            case MissingAttachments():
                kinds = ", ".join(self.phrases.texts.media_types.get(one, one) for one in part.media_types)
                return f"{self.phrases.attachments(part.least)}{f' ({kinds})' if kinds else ''}"
            case MissingSignature():
                return self.phrases.texts.missing_signature
            case MissingReport():
                return self.phrases.report_of(part.agency)
            case MissingCorrection():
                return self.phrases.texts.missing_correction
            case FailedCheck():
                return part.message
            case _:
                assert_never(part)

    def _unit_and_range(self, part: MissingIndicator) -> str:
        texts, number = self.phrases.texts, self.phrases.number
        unit = f"{texts.unit} {texts.units.get(part.unit, part.unit)}" if part.unit else ""
        low = f"{texts.range_from} {number(part.low)}" if part.low is not None else ""
        high = f"{texts.range_to} {number(part.high)}" if part.high is not None else ""
        form = texts.whole_number if part.is_whole else ""
        joined = "; ".join(text for text in (unit, f"{low} {high}".strip(), form) if text)
        return f" ({joined})" if joined else ""

    def _compose_sms_of_one(self, alert: AlertContext, report: str) -> str:
        texts = self.phrases.texts
        names_due = alert.kind not in SETTLED and not _has_passed_on(alert)
        deadline = alert.next_deadline if names_due else None
        due = f" {texts.due.capitalize()} {self.phrases.last_day(deadline)}." if deadline else ""
        names_missing = bool(alert.missing) and alert.kind not in {StepKind.ESCALATION, StepKind.RETURNED}
        missing = f" {texts.missing_heading}: {self._join_missing(alert)}." if names_missing else ""
        return f"{self.phrases.sms(alert, report)}.{due}{missing}"

    def _compose_sms_of_many(self, alerts: Sequence[AlertContext], reader: str) -> tuple[str, ...]:
        texts = self.phrases.texts
        request = self.phrases.sms_of_many(len(alerts), sources=_join_sources(alerts), reader=reader)
        clauses = ", ".join(dict.fromkeys(f"{texts.clause} {alert.clause}" for alert in alerts))
        deadlines = [alert.deadline for alert in alerts if alert.deadline]
        soonest = min(deadlines, key=lambda deadline: deadline.last_day, default=None)
        nearest = f" {texts.nearest_due} {self.phrases.last_day(soonest)}." if soonest else ""
        return f"{request} ({clauses}).{nearest}", f"{request}.{nearest}"


def layout_plain_text(mail: MailContent) -> str:
    """Return the mail as plain text; the items of a digest are numbered."""
    items = ["\n".join(_plain_row(row) for row in item) for item in mail.items]
    if len(items) > 1:
        items = [f"{number}. {indent(item, '   ').lstrip()}" for number, item in enumerate(items, start=1)]
    # "-- " with its trailing space is the signature separator of RFC 3676, section 4.3: replies leave it out.
    dashboard = [] if mail.dashboard is None else [_plain_row(mail.dashboard)]
    parts = [mail.greeting, mail.opening, *items, *dashboard, *mail.closing, mail.signature, f"-- \n{mail.footer}"]
    return "\n\n".join(parts) + "\n"


def layout_html(mail: MailContent, language: str) -> str:
    """Return the mail as one HTML page that needs nothing from outside."""
    tables = mail.items if mail.dashboard is None else (*mail.items, (mail.dashboard,))
    items = "".join(_html_item(item) for item in tables)
    closing = "".join(f'<p style="margin:0 0 14px">{escape(one)}</p>' for one in mail.closing)
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(mail.subject)}</title></head>'
        f'<body style="margin:0;padding:16px;background:#efeae1;{_STYLE}"><div style="{_PAGE}">'
        f'<p style="margin:0 0 14px"><strong>{escape(mail.greeting)}</strong></p>'
        f'<p style="margin:0 0 16px">{escape(mail.opening)}</p>'
        f'{items}{closing}<p style="margin:0"><strong>{escape(mail.signature)}</strong></p>'
        f'<p style="{_FOOT}">{escape(mail.footer)}</p></div></body></html>'
    )


def _plain_row(row: MessageRow) -> str:
    if row.link is not None:
        return f"{row.label}: {row.link}"
    if len(row.values) == 1:
        return f"{row.label}: {row.values[0]}"
    return "\n".join([f"{row.label}:", *(f"  - {value}" for value in row.values)])


def _html_item(item: tuple[MessageRow, ...]) -> str:
    rows = "".join(
        f'<tr><th scope="row" style="{_LABEL}">{escape(row.label)}</th>'
        f'<td style="{_VALUE}">{_html_values(row)}</td></tr>'
        for row in item
    )
    return f'<table style="{_TABLE}">{rows}</table>'


def _html_values(row: MessageRow) -> str:
    if row.link is not None:
        return f'<a href="{escape(row.link)}" style="{_BUTTON}">{escape(row.values[0])}</a>'
    if len(row.values) == 1:
        return escape(row.values[0])
    values = "".join(f"<li>{escape(value)}</li>" for value in row.values)
    return f'<ul style="margin:0;padding-left:18px">{values}</ul>'


def _has_passed_on(alert: AlertContext) -> bool:
    """Whether the alert tells an agency that others owe the report from now on."""
    return alert.kind is StepKind.SUCCESSION and not alert.notice.is_to_heir


def _is_list(alerts: Sequence[AlertContext]) -> bool:
    """Whether *alerts* get one line each: too many for details, and none with a form link, which needs its own row."""
    return len(alerts) > MAX_DETAILED_ALERTS and not any(alert.form_link for alert in alerts)


def _join_sources(alerts: Sequence[AlertContext]) -> str:
    return ", ".join(dict.fromkeys(alert.source for alert in alerts))
