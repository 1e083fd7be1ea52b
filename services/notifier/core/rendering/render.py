"""Rendering: a notice becomes a mail or an SMS in the reader's language, as things stand at the instant of sending."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from schemas.events.deliveries import Channel
from services.notifier.core.rendering import html_layout, sms_segments, template_context
from services.notifier.core.rendering.english import English
from services.notifier.core.rendering.form_links import FormLinks
from services.notifier.core.rendering.message_template import Letter
from services.notifier.core.rendering.template_context import Library, Matter
from services.notifier.core.rendering.unaccented import unaccented
from services.notifier.core.rendering.vietnamese import Vietnamese
from services.notifier.core.scheduling.digest import Notice
from services.notifier.core.scheduling.routing import Language

LETTERS: dict[Language, Letter] = {"vi": Letter(Vietnamese()), "en": Letter(English())}
LONGEST_SMS_PARTS = 3  # 459 letters; providers cut or refuse beyond about 495
_ELLIPSIS = "..."


class SmsLetters(StrEnum):
    """Which letters an SMS is written in: without marks, as every operator takes it, or as written."""

    UNACCENTED = "unaccented"
    ACCENTED = "accented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a message may make use of: the letters of an SMS, and links to the form for a mail, if there is a form."""

    letters: SmsLetters = SmsLetters.UNACCENTED
    links: FormLinks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A message as it reads. An SMS has no subject and no HTML, a mail no segments."""

    subject: str | None
    body: str
    html: str | None
    segments: int | None


def text(notice: Notice, library: Library, *, language: Language, means: Means, now: datetime) -> Text:
    """Return *notice* in words; raise `LookupError` where a cited document has not come yet."""
    told = [template_context.matter(one, library, language=language, now=now) for one in notice.tellings]
    reader = _reader(notice, library, language=language, now=now)
    match notice.channel:
        case Channel.EMAIL:
            linked = _linked(told, notice, means.links, language=language, now=now)
            prose = LETTERS[language].prose(linked, reader)
            return Text(
                subject=prose.subject,
                body=html_layout.plain(prose),
                html=html_layout.html(prose, language),
                segments=None,
            )
        case Channel.SMS:
            return _sms(told, reader, language, means.letters)
        case _:
            assert_never(notice.channel)


def _linked(
    told: list[Matter], notice: Notice, links: FormLinks | None, *, language: Language, now: datetime
) -> list[Matter]:
    if links is None:
        return told
    pairs = zip(told, notice.tellings, strict=True)
    return [replace(one, link=links.address(telling, notice, language=language, now=now)) for one, telling in pairs]


def _reader(notice: Notice, library: Library, *, language: Language, now: datetime) -> str | None:
    lead = notice.lead
    zone = ZoneInfo(library.plan(lead.duty.plan, lead.plan_version).zone)
    registry = library.registry(lead.registry, lead.registry_version)
    return template_context.name_of(notice.to_agency, registry, now.astimezone(zone).date(), language)


def _sms(told: list[Matter], reader: str | None, language: Language, letters: SmsLetters) -> Text:
    """Return the fullest wording that fits one part, or else the tersest, cut where even that is too long."""
    wordings = LETTERS[language].short(told, reader)
    written = [unaccented(one) if letters is SmsLetters.UNACCENTED else one for one in wordings]
    body = next((one for one in written if sms_segments.cost(one).parts == 1), None) or _cut(written[-1])
    return Text(subject=None, body=body, html=None, segments=sms_segments.cost(body).parts)


def _cut(body: str) -> str:
    while sms_segments.cost(body).parts > LONGEST_SMS_PARTS:
        body = body.removesuffix(_ELLIPSIS)[:-1].rstrip() + _ELLIPSIS
    return body
