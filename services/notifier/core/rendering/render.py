"""Render a digest as a mail or an SMS in the reader's language, as things stand at the instant of sending.

Words and layouts are templates, files of which each language has its own; a value that a template lacks is an error.
One file holds the words of a letter, and is drawn twice: as plain text, and as HTML with every value escaped. The set
has one version, and each letter a digest of the files it is made of; the delivery's record keeps both with the text.

Most mails of a deadline night differ in whom they name and in their links alone. Such mails are drawn once, with marks
in these places, and each gets its own names and links: drawing takes ten times as long as putting them in.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Literal, assert_never
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, meta
from markupsafe import escape

from schemas.events import ids
from schemas.events.deliveries import Channel
from schemas.plan.plan import PARENT
from services.notifier.core.rendering import calendar_file, letter, letter_facts, sms_segments
from services.notifier.core.rendering.calendar_file import CalendarEntry
from services.notifier.core.rendering.letter import WORDS, Letter, LetterFrame, Words
from services.notifier.core.rendering.letter_facts import AgencyNames, LetterFacts
from services.notifier.core.rendering.links import AcknowledgeLinks, DashboardLinks, FormLinks
from services.notifier.core.rendering.officers import OfficerBook
from services.notifier.core.scheduling.delivery_events import SentText
from services.notifier.core.scheduling.letter_history import NO_HISTORY, LetterHistory
from services.notifier.core.scheduling.routing import SELF, Digest, DocumentVersions, Language

MAX_SMS_PARTS = 3  # 459 letters of GSM-7; providers cut or refuse a message beyond about 495
_ELLIPSIS = "..."
_TOKEN = re.compile(r"(?P<parameter>[?&]t=)[\w.-]+")
_HIDDEN = r"\g<parameter>…"
_DEFAULT_DOMAIN = "dondoc.example"

VERSION = 2
"""The version of the templates. A change of any file raises it; a contract test holds the two to each other."""

Layout = Literal["txt", "html"]
_LAYOUTS: tuple[Layout, ...] = ("txt", "html")
_PACKAGE, _FOLDER = "services.notifier", "templates"
_BLANK_LINES = re.compile(r"\n\s*\n")

# Of these a letter asks only whether they are there. A name that another one is compared with, such as `reader_brief`,
# is not among them.
_PERSONAL = ("reader", "agency", "link", "ack_link", "dashboard_link")
# From the private use area of Unicode: no document has it, and neither layout escapes it.
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000([a-z_]+)\ue001")

_SMS, _DIGEST = "sms", "digest"
_SUBJECT_LENGTH = 60  # letters that a list of mails shows on a phone


class SmsLetters(StrEnum):
    """The letters of an SMS: without Vietnamese marks, which every operator accepts, or as written.

    A text as written takes two parts, or with `accented-short` one of 70 letters.
    """

    UNACCENTED = "unaccented"
    ACCENTED = "accented"
    ACCENTED_SHORT = "accented-short"


_PARTS = {SmsLetters.UNACCENTED: 1, SmsLetters.ACCENTED: 2, SmsLetters.ACCENTED_SHORT: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """The letters of an SMS, whom to ask, the links of a mail (None if the installation has none), and its domain."""

    letters: SmsLetters = SmsLetters.UNACCENTED
    officers: OfficerBook = field(default_factory=dict)
    form_links: FormLinks | None = None
    dashboard_links: DashboardLinks | None = None
    acknowledge_links: AcknowledgeLinks | None = None
    mail_domain: str = _DEFAULT_DOMAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When a message is written, what has become of those before it, and the public id of the delivery."""

    now: datetime
    history: LetterHistory = NO_HISTORY
    delivery: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailThread:
    """What a mail has for its program: where replies go, the mails it belongs to, its time zone, and a calendar file.

    All mails of one duty refer to the same message id, so programs show them as one conversation.
    """

    references: str
    zone: ZoneInfo
    reply_to: str = ""
    calendar: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateStamp:
    """Which words a message was made of: the template, the version of the set, and the digest of its files."""

    name: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """The text of a message and what it was made of. An SMS has no subject and no HTML; a mail has no segments."""

    subject: str | None
    body: str
    html: str | None
    segments: int | None
    stamp: TemplateStamp | None = None
    thread: MailThread | None = None


def render_digest(
    digest: Digest, documents: DocumentVersions, *, language: Language, options: RenderOptions, occasion: Occasion
) -> RenderedMessage:
    """Return the text of *digest* on an *occasion*. Raises `LookupError` if a cited document has not been published."""
    words, now = WORDS[language], occasion.now
    facts = [letter_facts.find_facts(one, documents, words, now=now, history=occasion.history) for one in digest.alerts]
    lead = facts[0]
    is_mail = digest.channel is Channel.EMAIL
    described = [one for one in facts if is_mail and one.has_news_of_deadline]
    frame = LetterFrame(
        reader=_name_reader(digest, documents, lead, language=language, now=now),
        now=now,
        officer=options.officers.get(lead.plan.plan),
        links=_create_form_links(digest, options, language=language, now=now),
        ack_link=_create_acknowledge_link(digest, options, language=language, occasion=occasion),
        dashboard_link=_create_dashboard_link(digest, options, language=language, now=now),
        has_calendar=bool(described),
    )
    composed = letter.compose(facts, words, frame, occasion.history)
    stamp = stamp_template(composed.template, language, is_sms=not is_mail)
    match digest.channel:
        case Channel.EMAIL:
            subject, body, html = write_mail(composed, language)
            thread = MailThread(
                references=f"<{ids.digest('thread', str(lead.one.duty))[:40]}@{options.mail_domain}>",
                zone=lead.zone,
                reply_to=composed.values["officer_mail"],
                calendar=_write_calendar(described, words, frame, composed, domain=options.mail_domain),
            )
            return RenderedMessage(subject=subject, body=body, html=html, segments=None, stamp=stamp, thread=thread)
        case Channel.SMS:
            return render_sms(composed, words, options.letters, stamp)
        case _:
            assert_never(digest.channel)


def keep_text(message: RenderedMessage) -> SentText | None:
    """Return the text of *message* for the record; None for one that was not made of a template."""
    if message.stamp is None:
        return None
    return SentText(
        template=f"{message.stamp.name}@{message.stamp.version}",
        template_digest=message.stamp.digest,
        subject=message.subject,
        body=_TOKEN.sub(_HIDDEN, message.body),
    )


def _create_form_links(
    digest: Digest, options: RenderOptions, *, language: Language, now: datetime
) -> Mapping[str, str]:
    """Return the link to the form by the deduplication key of the alert, where its reader gets one."""
    links = options.form_links
    if links is None or digest.channel is not Channel.EMAIL:
        return {}
    created = {one.dedup_key: links.create_link(one, digest, language=language, now=now) for one in digest.alerts}
    return {key: link for key, link in created.items() if link is not None}


def _create_acknowledge_link(
    digest: Digest, options: RenderOptions, *, language: Language, occasion: Occasion
) -> str | None:
    links = options.acknowledge_links
    if links is None or not occasion.delivery or digest.channel is not Channel.EMAIL:
        return None
    return links.create_link(digest, occasion.delivery, language=language, now=occasion.now)


def _create_dashboard_link(digest: Digest, options: RenderOptions, *, language: Language, now: datetime) -> str | None:
    links = options.dashboard_links
    if links is None or digest.channel is not Channel.EMAIL:
        return None
    return links.create_link(digest, language=language, now=now)


def _name_reader(
    digest: Digest, documents: DocumentVersions, lead: LetterFacts, *, language: Language, now: datetime
) -> AgencyNames | None:
    """Return the names of who reads. A contact list is greeted as the plan names whom the recipient reports to."""
    registry = documents.registry(lead.one.registry, lead.one.registry_version)
    if registry.agency(digest.to_agency) is None:
        addressee = lead.plan.report.addressee
        is_list = lead.one.alert.to not in {PARENT, SELF}
        return AgencyNames.of_office(addressee) if addressee and is_list else None
    return letter_facts.name_agency(digest.to_agency, registry, now.astimezone(lead.zone).date(), language)


def _write_calendar(
    facts: Sequence[LetterFacts], words: Words, frame: LetterFrame, composed: Letter, *, domain: str
) -> str | None:
    """Return the deadlines of *facts* as a calendar file; None where there is none."""
    if not facts:
        return None
    is_single = composed.template != _DIGEST
    described = ((one, composed.values if is_single else letter.describe(one, words, frame)) for one in facts)
    entries = [
        CalendarEntry(
            facts=one,
            summary=f"{values['report_short']}: {values['due']}",
            description=f"{values['report']}\n{values['receiver']}\n{values['basis']}",
        )
        for one, values in described
    ]
    return calendar_file.write_calendar(entries, domain=domain, now=frame.now)


def render_sms(composed: Letter, words: Words, letters: SmsLetters, stamp: TemplateStamp) -> RenderedMessage:
    """Return the fullest wording of few enough parts, else the shortest, cut only where no provider would take it."""
    values = composed.values
    asked = "reader" if values["inherited_from"] else "agency"
    names = dict.fromkeys((values[asked], values[f"{asked}_sms"], words.reader))
    by_name = [write_sms(composed, words.language, name) for name in names]
    texts = [text for wordings in zip(*by_name, strict=True) for text in dict.fromkeys(wordings)]
    # The last resort names nobody to call, so that the rest fits.
    texts.append(f"{texts[-1].removesuffix(values['end'])}.")
    bodies = [sms_segments.strip_accents(one) if letters is SmsLetters.UNACCENTED else one for one in texts]
    fitting = (one for one in bodies if sms_segments.measure(one).parts <= _PARTS[letters])
    body = next(fitting, None) or _cut_to_max_parts(min(bodies, key=len))
    return RenderedMessage(subject=None, body=body, html=None, segments=sms_segments.measure(body).parts, stamp=stamp)


def _cut_to_max_parts(body: str) -> str:
    while sms_segments.measure(body).parts > MAX_SMS_PARTS:
        body = body.removesuffix(_ELLIPSIS)[:-1].rstrip() + _ELLIPSIS
    return body


def write_mail(composed: Letter, language: Language) -> tuple[str, str, str]:
    """Return subject, plain text and HTML of a letter."""
    return draw_mail(f"{language}/{composed.template}.txt", composed.values)


def write_sms(composed: Letter, language: Language, whom: str) -> list[str]:
    """Return the wordings of a text message to *whom*, from the fullest to the shortest."""
    values = composed.values | {"whom": whom}
    block = composed.template.replace("-", "_")
    rendered = _render_block("txt", f"{language}/{_SMS}.txt", block, values)
    return [" ".join(line.split()) for line in rendered.splitlines() if line.strip()]


@cache
def stamp_template(letter: str, language: Language, *, is_sms: bool) -> TemplateStamp:
    """Return what the record keeps of the template *letter*."""
    name = f"{language}/{_SMS if is_sms else letter}.txt"
    roots = (name,) if is_sms else (name, *(f"layout/{part}.{kind}" for part in ("mail", "parts") for kind in _LAYOUTS))
    digest = hashlib.sha256()
    for one in sorted({found for root in roots for found in _find_sources(root)}):
        digest.update(f"{one}\n{_read_source(one)}".encode())
    return TemplateStamp(name=f"{language}/{letter}", version=VERSION, digest=digest.hexdigest())


def _choose_subject(rendered: str) -> str:
    """Return the first subject that a phone shows whole, else the last one."""
    lines = [" ".join(line.split()) for line in rendered.splitlines() if line.strip()]
    return next((line for line in lines if len(line) <= _SUBJECT_LENGTH), lines[-1])


def draw_mail(name: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return subject, plain text and HTML of the template *name* with *values*."""
    used = _find_used(name)
    personal = {one: values[one] for one in _PERSONAL if one in used and values.get(one)}
    try:
        common = frozenset((one, values[one]) for one in used if one in values and one not in personal)
    except TypeError:  # a letter about several reports has lists among its values
        return _draw(name, values)
    subjects, text, html = _draw_marked(name, common, tuple(personal))
    personal["subject"] = _choose_subject(_fill_marks(subjects, personal))
    escaped = {one: str(escape(value)) for one, value in personal.items()}
    return personal["subject"], _fill_marks(text, personal), _fill_marks(html, escaped)


def _fill_marks(drawn: str, values: Mapping[str, str]) -> str:
    return _MARKED.sub(lambda found: values.get(found[1], found[0]), drawn)


def _render_block(layout: Layout, name: str, block: str, values: Mapping[str, Any]) -> str:
    """Return what one block of the template *name* says."""
    template = _load(layout, name)
    return "".join(template.blocks[block](template.new_context(dict(values))))


@lru_cache(maxsize=256)
def _draw_marked(name: str, common: frozenset[tuple[str, Any]], marked: tuple[str, ...]) -> tuple[str, str, str]:
    values = dict(common) | {one: _MARK.format(one) for one in marked}
    return _draw_subjects(name, values), *_draw_text(name, values | {"subject": _MARK.format("subject")})


def _draw(name: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
    subject = _choose_subject(_draw_subjects(name, values))
    return subject, *_draw_text(name, {**values, "subject": subject})


def _draw_subjects(name: str, values: Mapping[str, Any]) -> str:
    return _render_block("txt", name, "subject", values)


def _draw_text(name: str, values: Mapping[str, Any]) -> tuple[str, str]:
    text = _BLANK_LINES.sub("\n\n", _load("txt", name).render(values)).strip()
    # "-- " keeps its space: it separates the signature (RFC 3676, section 4.3).
    return f"{text}\n", _load("html", name).render(values)


@cache
def _find_used(name: str) -> frozenset[str]:
    """Return the names of the values that the mail of the template *name* uses, in either layout."""
    sources = (name, *(f"layout/{part}.{layout}" for part in ("mail", "parts") for layout in _LAYOUTS))
    parsed = [_environment("txt").parse(_read_source(one)) for root in sources for one in sorted(_find_sources(root))]
    return frozenset().union(*map(meta.find_undeclared_variables, parsed))


@cache
def _load(layout: Layout, name: str) -> Template:
    return _environment(layout).get_template(name)


@cache
def _environment(layout: Layout) -> Environment:
    """Return the environment that draws the words in *layout*; the parts of the layout are known to every template."""
    # Plain text has no markup to escape; the same values are escaped in the other layout.
    environment = Environment(
        loader=PackageLoader(_PACKAGE, _FOLDER),
        autoescape=layout == "html",  # noqa: S701 - as said above
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,  # the files are part of the package
    )
    environment.filters["dense"] = _drop_blank_lines
    environment.filters["spaced"] = _space_paragraphs
    environment.globals["layout"] = f"layout/mail.{layout}"
    parts = environment.get_template(f"layout/parts.{layout}").module
    names = [name for name in vars(parts) if not name.startswith("_")]
    environment.globals.update({name: getattr(parts, name) for name in names})
    return environment


def _drop_blank_lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in str(text).splitlines() if line.strip())


def _space_paragraphs(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", str(text)).strip()


def _read_source(name: str) -> str:
    """Return the text of the template *name*."""
    environment = _environment("txt")
    source, _, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr] # it has a loader
    return source


def _find_sources(name: str) -> set[str]:
    """Return *name* and the templates that it extends, by name; the layout is named by its variable and added apart."""
    parsed = _environment("txt").parse(_read_source(name))
    found = {one for one in meta.find_referenced_templates(parsed) if one is not None}
    return {name} | {inner for one in found for inner in _find_sources(one)}
