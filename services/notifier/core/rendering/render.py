"""Render a digest as a mail or an SMS in the reader's language, as things stand at the instant of sending."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from schemas.events.deliveries import Channel
from services.notifier.core.rendering import message_template, sms_segments, template_context
from services.notifier.core.rendering.dashboard_links import DashboardLinks
from services.notifier.core.rendering.english import English
from services.notifier.core.rendering.form_links import FormLinks
from services.notifier.core.rendering.message_template import MessageTemplate
from services.notifier.core.rendering.template_context import AlertContext
from services.notifier.core.rendering.vietnamese import Vietnamese
from services.notifier.core.scheduling.digest import Digest, DocumentVersions
from services.notifier.core.scheduling.routing import Language

TEMPLATES: dict[Language, MessageTemplate] = {"vi": MessageTemplate(Vietnamese()), "en": MessageTemplate(English())}
MAX_SMS_PARTS = 3  # 459 letters of GSM-7; providers cut or refuse a message beyond about 495
_ELLIPSIS = "..."


class SmsLetters(StrEnum):
    """The letters of an SMS: without Vietnamese marks, which every operator accepts, or as written."""

    UNACCENTED = "unaccented"
    ACCENTED = "accented"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """The letters of an SMS, and the links of a mail to form and dashboard (None if the installation has none)."""

    letters: SmsLetters = SmsLetters.UNACCENTED
    form_links: FormLinks | None = None
    dashboard_links: DashboardLinks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """The text of a message. An SMS has no subject and no HTML; a mail has no segments."""

    subject: str | None
    body: str
    html: str | None
    segments: int | None


def render_digest(
    digest: Digest, documents: DocumentVersions, *, language: Language, options: RenderOptions, now: datetime
) -> RenderedMessage:
    """Return the text of *digest* at *now*. Raises `LookupError` if a cited document has not been published."""
    alerts = [template_context.build_context(one, documents, language=language, now=now) for one in digest.alerts]
    reader = _reader_name(digest, documents, language=language, now=now)
    match digest.channel:
        case Channel.EMAIL:
            linked = _add_form_links(alerts, digest, options.form_links, language=language, now=now)
            links = options.dashboard_links
            dashboard = None if links is None else links.create_link(digest, language=language, now=now)
            mail = TEMPLATES[language].compose_mail(linked, reader, dashboard_link=dashboard)
            return RenderedMessage(
                subject=mail.subject,
                body=message_template.layout_plain_text(mail),
                html=message_template.layout_html(mail, language),
                segments=None,
            )
        case Channel.SMS:
            return _render_sms(TEMPLATES[language].compose_sms(alerts, reader), options.letters)
        case _:
            assert_never(digest.channel)


def _add_form_links(
    alerts: list[AlertContext], digest: Digest, links: FormLinks | None, *, language: Language, now: datetime
) -> list[AlertContext]:
    if links is None:
        return alerts
    return [
        replace(context, form_link=links.create_link(one, digest, language=language, now=now))
        for context, one in zip(alerts, digest.alerts, strict=True)
    ]


def _reader_name(digest: Digest, documents: DocumentVersions, *, language: Language, now: datetime) -> str | None:
    lead = digest.lead
    zone = ZoneInfo(documents.plan(lead.duty.plan, lead.plan_version).zone)
    registry = documents.registry(lead.registry, lead.registry_version)
    return template_context.agency_name(digest.to_agency, registry, now.astimezone(zone).date(), language)


def _render_sms(wordings: Sequence[str], letters: SmsLetters) -> RenderedMessage:
    """Return the fullest wording that fits one part, else the shortest, cut if even that has too many parts."""
    texts = [sms_segments.strip_accents(one) if letters is SmsLetters.UNACCENTED else one for one in wordings]
    fitting = (one for one in texts if sms_segments.measure(one).parts == 1)
    body = next(fitting, None) or _cut_to_max_parts(texts[-1])
    return RenderedMessage(subject=None, body=body, html=None, segments=sms_segments.measure(body).parts)


def _cut_to_max_parts(body: str) -> str:
    while sms_segments.measure(body).parts > MAX_SMS_PARTS:
        body = body.removesuffix(_ELLIPSIS)[:-1].rstrip() + _ELLIPSIS
    return body
