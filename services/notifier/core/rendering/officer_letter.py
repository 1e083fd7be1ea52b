"""The letter of the officer's weekly digest: the values of its template, and the message they make."""

from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from schemas.events import ids
from schemas.events.deliveries import Channel
from schemas.plan.plan import PARENT
from services.notifier.core.rendering import letter, letter_facts, render
from services.notifier.core.rendering.letter import WORDS, Letter, LetterFrame, Values, Words
from services.notifier.core.rendering.letter_facts import AgencyNames, LetterFacts
from services.notifier.core.rendering.officer_words import OFFICER_WORDS, OfficerWords
from services.notifier.core.rendering.officers import Officer
from services.notifier.core.rendering.render import MailThread, RenderedMessage, RenderOptions
from services.notifier.core.scheduling.holds import HoldScope, SendingHold
from services.notifier.core.scheduling.officer_digest import OfficerDigest, ReviewedReport, UnreachedAgency
from services.notifier.core.scheduling.routing import SELF, DocumentVersions, Language
from services.notifier.core.scheduling.scheduled_alert import DutyAlert

TEMPLATE = "officer-digest"
_ROWS_MAX = 100  # of one section: the pages list the rest

# The rows of a section: whom each is about, and the note below the name.
Rows = list[tuple[DutyAlert, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerReading:
    """To whom and when a digest is written: the officer, the language, the instant, and where the pages are."""

    officer: Officer
    now: datetime
    language: Language = "vi"
    watch_link: str = ""


def render_officer_digest(
    digest: OfficerDigest,
    documents: DocumentVersions,
    reading: OfficerReading,
    *,
    channel: Channel,
    options: RenderOptions,
) -> RenderedMessage:
    """Return *digest* as a mail or a text message. Raises `LookupError` if a cited document has not been published."""
    writer = _DigestWriter(
        digest=digest,
        documents=documents,
        reading=reading,
        words=WORDS[reading.language],
        phrases=OFFICER_WORDS[reading.language],
    )
    composed = writer.compose()
    stamp = render.stamp_template(TEMPLATE, reading.language, is_sms=channel is Channel.SMS)
    if channel is Channel.SMS:
        return render.render_sms(composed, writer.words, options.letters, stamp)
    subject, body, html = render.write_mail(composed, reading.language)
    thread = MailThread(
        references=f"<{ids.digest('thread', TEMPLATE, digest.week.plan)[:40]}@{options.mail_domain}>",
        zone=writer.lead.zone,
    )
    return RenderedMessage(subject=subject, body=body, html=html, segments=None, stamp=stamp, thread=thread)


@dataclass(slots=True, kw_only=True)
class _DigestWriter:
    """Puts a digest into the values of its template."""

    digest: OfficerDigest
    documents: DocumentVersions
    reading: OfficerReading
    words: Words
    phrases: OfficerWords
    lead: LetterFacts = field(init=False)

    def __post_init__(self) -> None:
        self.lead = self._find_facts(self.digest.lead)

    def compose(self) -> Letter:
        digest, words, reading = self.digest, self.words, self.reading
        monday, friday = digest.week.monday, digest.last_day
        values: Values = {
            "language": words.language,
            "reader": reading.officer.name,
            "receiver": self.lead.receiver.full,
            "sender": self.lead.receiver.sms,
            "agency": self.lead.receiver.full,
            "agency_sms": self.lead.receiver.sms,
            "inherited_from": "",
            "plan_title": self.lead.plan.title.in_language(words.language),
            "report_stem": self._describe(self.lead)["report_stem"],
            "week": self.phrases.name_week(monday, friday),
            "week_from": words.full_date(monday),
            "week_to": words.full_date(friday),
            "as_of_date": words.full_date(self._find_day(reading.now)),
            "watch_link": reading.watch_link,
            "count": digest.count,
            "count_words": words.count(digest.count),
            "counts": self._count_sections(),
            "groups": self._list_sections(),
            "planned": self._list_planned(),
            "holds": [self._describe_hold(one) for one in digest.holds],
            "end": ".",
            "is_wide": True,
        }
        return Letter(template=TEMPLATE, values=values)

    def _count_sections(self) -> Values:
        digest = self.digest
        sections = {
            "unreached": digest.unreached,
            "to_review": digest.to_review,
            "overdue": digest.overdue,
            "incomplete": digest.incomplete,
            "coming": digest.coming,
            "without_heir": digest.without_heir,
        }
        return {name: len(rows) for name, rows in sections.items()}

    def _list_sections(self) -> list[Values]:
        """Return the rows of each section that has any, by the name by which the template calls it."""
        digest = self.digest
        listed: dict[str, Rows] = {
            "unreached": [(one.one, self._note_unreached(one)) for one in digest.unreached],
            "to_review": [(one.one, self._note_review(one)) for one in digest.to_review],
            "overdue": [(one, self._note_overdue(one)) for one in digest.overdue],
            "incomplete": [(one, self._note_overdue(one)) for one in digest.incomplete],
            "coming": [(one, self._note_coming(one)) for one in digest.coming],
            "without_heir": [(one, self._note_coming(one)) for one in digest.without_heir],
        }
        return [self._describe_section(name, rows) for name, rows in listed.items() if rows]

    def _describe_section(self, name: str, rows: Rows) -> Values:
        described = [
            {"cells": (str(number), self._name_agency(one)), "note": "; ".join(filter(None, (self._name(one), note)))}
            for number, (one, note) in enumerate(rows[:_ROWS_MAX], start=1)
        ]
        left_out = self.words.count(len(rows) - _ROWS_MAX) if len(rows) > _ROWS_MAX else ""
        return {"name": name, "count": self.words.count(len(rows)), "rows": described, "left_out": left_out}

    def _note_unreached(self, one: UnreachedAgency) -> str:
        return self.phrases.note_unreached(one.reason, one.channel, self._find_day(one.since) if one.since else None)

    def _note_review(self, one: ReviewedReport) -> str:
        return self.phrases.note_review(self._find_day(one.received_at), is_replacement=one.is_replacement)

    def _note_overdue(self, one: DutyAlert) -> str:
        facts = self._find_facts(one)
        values, named = self._describe(facts), facts.history.named
        return self.phrases.note_overdue(
            values["distance"],
            urged=facts.ordinal - 1,
            promised=self.words.full_date(named.promised_on) if named else "",
            lacks=values["lacks_inline"],
        )

    def _note_coming(self, one: DutyAlert) -> str:
        values = self._describe(self._find_facts(one))
        return f"{values['due']} ({values['distance']})" if values["due"] else ""

    def _name_agency(self, one: DutyAlert) -> str:
        return self._find_facts(one).agency.full

    def _name(self, one: DutyAlert) -> str:
        """Return the name of the report where the digest is about several."""
        digest = self.digest
        listed = (*digest.overdue, *digest.incomplete, *digest.coming, *digest.without_heir)
        reports = {(each.duty.obligation, each.duty.period) for each in listed}
        return self._describe(self._find_facts(one))["report_short"] if len(reports) > 1 else ""

    def _list_planned(self) -> list[str]:
        words, addressee = self.words, self.lead.plan.report.addressee
        lines = []
        for day, sendings in groupby(self.digest.planned, key=lambda one: one.day):
            said = []
            for one in sendings:
                to_list = "" if one.to in {PARENT, SELF} else AgencyNames.of_office(addressee or one.to).brief
                named = self.phrases.name_sending(one.kind, words.short_ordinal(one.ordinal), to_list=to_list)
                said.append(f"{named} ({words.count(one.count)})")
            lines.append(f"{words.weekday(day)}, {words.full_date(day)}: {', '.join(said)}")
        return lines

    def _describe_hold(self, hold: SendingHold) -> Values:
        words = self.words
        until = words.instant(hold.until.astimezone(self.lead.zone)) if hold.until else ""
        target = {
            HoldScope.ALL: self.phrases.everything,
            HoldScope.PLAN: self.phrases.this_plan,
            HoldScope.ROUTE: hold.target,
        }.get(hold.scope) or letter_facts.name_agency(
            hold.target, self.lead.registry, self._find_day(self.reading.now), words.language
        ).full
        return {"target": target, "until": until, "author": hold.author, "reason": hold.reason}

    def _find_day(self, at: datetime) -> date:
        return at.astimezone(self.lead.zone).date()

    def _find_facts(self, one: DutyAlert) -> LetterFacts:
        return letter_facts.find_facts(
            one, self.documents, self.words, now=self.reading.now, history=self.digest.history
        )

    def _describe(self, facts: LetterFacts) -> Values:
        frame = LetterFrame(
            reader=None,
            now=self.reading.now,
            officer=self.reading.officer,
            links={},
            ack_link=None,
            dashboard_link=None,
            has_calendar=False,
        )
        return letter.describe(facts, self.words, frame)
