"""The letter: which template a digest takes, and the values that fill it, in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from schemas.events.assessments import StepKind
from schemas.plan.plan import PARENT
from services.notifier.core.rendering import letter_facts
from services.notifier.core.rendering.english import English
from services.notifier.core.rendering.letter_facts import AgencyNames, Deadline, LetterFacts, Request
from services.notifier.core.rendering.officers import Officer
from services.notifier.core.rendering.vietnamese import Vietnamese
from services.notifier.core.scheduling.letter_history import LetterHistory
from services.notifier.core.scheduling.routing import SELF, Language
from services.notifier.core.scheduling.scheduled_alert import RETURNED

Words = Vietnamese | English
WORDS: Mapping[Language, Words] = {"vi": Vietnamese(), "en": English()}
Values = dict[str, Any]

_LEAST_TITLE = 30  # letters: a title as short as this is its own short form
_LEAST_WORDS = 3
_SUBJECT_TITLE = 38  # letters of a title that stands in a subject for want of a short form
_LISTED_IN_SMS = 3  # reports named one by one in a text message
_ROMAN = ("I", "II")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFrame:
    """What a letter has besides the facts of its alerts: who reads it and when, whom to ask, and the reader's links.

    `links` are the form's, by the deduplication key of the alert. `has_calendar` tells whether the deadline goes along
    as a calendar entry.
    """

    reader: AgencyNames | None
    now: datetime
    officer: Officer | None
    links: Mapping[str, str]
    ack_link: str | None
    dashboard_link: str | None
    has_calendar: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The name of a template, and the values for it."""

    template: str
    values: Values


def compose(facts: Sequence[LetterFacts], words: Words, frame: LetterFrame, history: LetterHistory) -> Letter:
    """Return the letter about *facts*, the most pressing of which comes first."""
    facts = letter_facts.merge_inherited(facts, words)
    lead = facts[0]
    values = _describe_frame(lead, words, frame) | describe(lead, words, frame)
    if lead.kind is StepKind.ESCALATION:
        is_to_list = lead.one.alert.to not in {PARENT, SELF}
        if len(facts) == 1 and not is_to_list:
            return Letter(template="escalation", values=values)
        tables = _describe_tables(facts, words, history, is_to_list=is_to_list)
        return Letter(template="overdue-list", values=values | tables)
    if len(facts) > 1:
        return Letter(template="digest", values=values | _describe_items(facts, words, frame))
    return Letter(template="copy" if lead.is_copy else lead.kind.value, values=values)


def _describe_frame(lead: LetterFacts, words: Words, frame: LetterFrame) -> Values:
    reader, officer, local = frame.reader, frame.officer, frame.now.astimezone(lead.zone)
    unnamed = words.superior if lead.kind is StepKind.ESCALATION else words.reader
    has_phone = officer is not None and bool(officer.phone)
    return {
        "language": words.language,
        "reader": reader.full if reader else unnamed,
        "reader_brief": reader.brief if reader else unnamed,
        "reader_sms": reader.sms if reader else unnamed,
        "officer_name": officer.title if officer and has_phone else lead.receiver.full,
        "officer_phone": officer.phone if officer and has_phone else "",
        "officer_phone_e164": officer.phone_e164 if officer and has_phone else "",
        "officer_mail": officer.email if officer else "",
        "ack_link": frame.ack_link,
        "dashboard_link": frame.dashboard_link,
        "has_calendar": frame.has_calendar,
        "is_wide": False,
        "acknowledging": lead.kind in {StepKind.REMINDER, StepKind.URGING, StepKind.INCOMPLETE} and lead.ordinal < 3,  # noqa: PLR2004 - from the third urging on the link stands above
        "as_of": words.instant(local),
        "as_of_date": words.full_date(local.date()),
        "as_of_day": words.day_and_month(local.date()),
        "as_of_short": words.short_date(local.date()),
        "sender": lead.receiver.sms,
        "end": f". {words.telephone} {officer.phone}" if officer and has_phone else ".",
        "receiver_brief": lead.receiver.brief,
    }


def describe(facts: LetterFacts, words: Words, frame: LetterFrame) -> Values:
    """Return the values of one alert."""
    alert = facts.one.alert
    return {
        "link": frame.links.get(facts.one.dedup_key),
        "agency": facts.agency.full,
        "agency_sms": facts.agency.sms,
        "receiver": facts.receiver.full,
        "is_overdue": facts.is_overdue,
        "is_incomplete": bool(alert.missing),
        "is_first": facts.is_first,
        "is_of_another": frame.reader is not None and frame.reader.full != facts.agency.full,
        "ordinal": facts.ordinal,
        "ordinal_short": words.short_ordinal(facts.ordinal),
        "ordinal_words": words.ordinal(facts.ordinal),
        "lacks": facts.lacks,
        "lacks_inline": "; ".join(one.removesuffix(".") for one in facts.lacks),
        "lack_count": words.lack_count(len(facts.lacks)),
        "lack_number": len(facts.lacks),
        "requirements": facts.requirements,
        "basis": words.basis(facts.one.clause, facts.source),
        "task_basis": words.basis(*facts.task) if facts.task else "",
        "data_window": words.window(facts.window) if facts.window else _cut_off(facts, words),
        **_name_report(facts, words),
        **_describe_deadline(facts.deadline, words),
        **_describe_past(facts, words),
        **_describe_correction(facts, words),
        **_describe_notice(facts, words),
    }


def _cut_off(facts: LetterFacts, words: Words) -> str:
    return words.cut_off(facts.cut_off) if facts.cut_off else ""


def _name_report(facts: LetterFacts, words: Words) -> Values:
    """Return the names of the report: in full, and shorter ones for subjects and text messages."""
    obligation, period, language = facts.obligation, facts.one.duty.period, words.language
    title = obligation.letter_title.in_language(language)
    if obligation.report_short is not None:
        stem = obligation.report_short.in_language(language)
    elif len(title) <= _LEAST_TITLE:
        stem = title
    elif facts.source.number:
        stem = words.short_report(facts.source)
    else:
        stem = _cut_at_word(title)
    short, bare = words.title(stem, period), words.title(stem, None)
    # `BC` alone says too little; where little is left without the period it stays.
    least = bare if len(bare.split()) >= _LEAST_WORDS else short
    named = words.report(title, period, is_noun=obligation.report_title is not None)
    in_sms = words.within_sentence(short)
    if facts.is_inherited:
        named, in_sms = words.of_agency(named, facts.agency.full), words.of_agency(in_sms, facts.agency.sms)
    return {
        "report": named,
        "report_heading": f"{named[:1].upper()}{named[1:]}",
        "report_short": short,
        "report_brief": words.abbreviate(short),
        "report_least": words.abbreviate(least),
        "report_stem": words.within_sentence(bare),
        "report_sms": in_sms,
    }


def _cut_at_word(title: str) -> str:
    if len(title) <= _SUBJECT_TITLE:
        return title
    return f"{title[:_SUBJECT_TITLE].rpartition(' ')[0] or title[:_SUBJECT_TITLE]}…"


@lru_cache(maxsize=64)
def _describe_deadline(deadline: Deadline | None, words: Words) -> Values:
    if deadline is None:
        absent = dict.fromkeys(("due", "due_hour", "due_date", "due_short", "due_day", "weekday", "distance"), "")
        return absent | {
            "due_end": "", "due_by": words.soon, "days_left": 0, "is_last_day": False, "overdue_sms": words.soon,
        }  # fmt: skip
    return {
        "due": words.due(deadline),
        "due_by": words.due_by(deadline),
        "due_end": words.due_end(deadline),
        "due_hour": deadline.before is not None,
        "due_date": words.full_date(deadline.last_day),
        "due_short": words.short_date(deadline.last_day),
        "due_day": words.day_and_month(deadline.last_day),
        "weekday": words.weekday(deadline.last_day),
        "distance": words.distance(deadline),
        "days_left": deadline.days_left,
        "is_last_day": deadline.days_left == 0 and not deadline.has_passed,
        "overdue_sms": words.overdue_in_sms(deadline),
    }


def _describe_past(facts: LetterFacts, words: Words) -> Values:
    """Return what the letter says of the letters before it, and of the day that the agency has named."""
    alert, history, zone = facts.one.alert, facts.history, facts.zone
    urged = _days(history.find_taken(StepKind.URGING, alert.due_at, before=alert), facts)
    reminded = _days(history.find_taken(StepKind.REMINDER, alert.due_at, before=alert), facts)
    named = history.named
    return {
        "sent_before": words.days(urged) if urged else "",
        "reminders_sent": words.reminders_sent(len(reminded), reminded[-1]) if reminded else "",
        "named_day": words.named_day(named.promised_on, named.said_at.astimezone(zone).date()) if named else "",
        "promised_on": words.full_date(named.promised_on) if named else "",
    }


def _days(instants: Iterable[datetime], facts: LetterFacts) -> list[Any]:
    return [at.astimezone(facts.zone).date() for at in instants]


def _describe_correction(facts: LetterFacts, words: Words) -> Values:
    asked, term = facts.one.alert.correction, facts.respond_by
    return {
        "return_reason": asked.reason if asked else "",
        "keeps_time": asked is not None and facts.one.alert.missing == (RETURNED,),
        "respond_by": words.due_by(term) if term else words.soon,
        "respond_by_sms": words.due_by_in_sms(term) if term else words.soon,
        "respond_date": words.full_date(term.last_day) if term else "",
        "respond_short": words.short_date(term.last_day) if term else "",
        "respond_day": words.day_and_month(term.last_day) if term else "",
    }


def _describe_notice(facts: LetterFacts, words: Words) -> Values:
    told, passing, zone = facts.one.alert.notice, facts.passing, facts.zone
    counted = told.effective_at.astimezone(zone) if told and told.effective_at else None
    days_late = 0
    if counted and facts.deadline:
        days_late = max((counted.date() - facts.deadline.last_day).days, 0)
    first, until = (told.exempt_from, told.exempt_until) if told else (None, None)
    last = letter_facts.describe_deadline(until, zone, until).last_day if until else None
    return {
        "decision": words.decision(facts.decision) if facts.decision else "",
        "decision_sms": facts.decision.number if facts.decision else "",
        "decision_reason": told.reason if told else "",
        "old_due": words.due(facts.former) if facts.former else "",
        "exempt_span": words.exempt_span(first.astimezone(zone).date(), last) if first else "",
        "is_to_heir": facts.is_to_heir,
        "inherited_from": facts.agency.full if facts.is_inherited else "",
        "successors": words.join(_tell_apart([one.full for one in passing.heirs], facts, words)) if passing else "",
        "successors_sms": words.join(_tell_apart([one.sms for one in passing.heirs], facts, words)) if passing else "",
        "succession_on": words.full_date(passing.on) if passing else "",
        "succession_short": words.short_date(passing.on) if passing else "",
        "act": passing.act if passing else "",
        "document": told.document if told else "",
        "received_at": words.instant(counted) if counted else "",
        "recorded_as": words.recorded_as(days_late) if counted else "",
        "is_late": bool(days_late),
    }


def _tell_apart(heirs: Iterable[str], facts: LetterFacts, words: Words) -> list[str]:
    """Return the names of *heirs*; a new ward often has the name of one of those that went into it."""
    return [words.name_newer(one) if one in {facts.agency.full, facts.agency.sms} else one for one in heirs]


def _describe_items(facts: Sequence[LetterFacts], words: Words, frame: LetterFrame) -> Values:
    """Return the values of a letter about several duties: those past due first, then by deadline."""
    ordered = sorted(facts, key=_order_by_deadline)
    asking = [one for one in ordered if not one.asks_nothing]
    items = []
    for one in ordered:
        request = _classify_request(one)
        asked, action = words.requests[request]
        urged = words.urged_before(one.ordinal) if one.kind is StepKind.URGING else ""
        told = {"request": request, "asked": asked, "action": action, "urged": urged}
        items.append(describe(one, words, frame) | told)
    ahead = [one for one in asking if one.deadline and not one.deadline.has_passed]
    overdue = [one for one in asking if one.is_overdue]
    bases = {one["basis"] for one in items}
    next_day = ahead[0].deadline.last_day if ahead and ahead[0].deadline else None
    return {
        "items": items,
        "count": len(asking),
        "count_words": words.count(len(asking)),
        "told_count": len(items) - len(asking),
        "told_words": words.count(len(items) - len(asking)),
        "overdue_count": len(overdue),
        "overdue_words": words.count(len(overdue)),
        "next_date": words.full_date(next_day) if next_day else "",
        "next_short": words.short_date(next_day) if next_day else "",
        "past_dates": words.join(
            list(dict.fromkeys(words.full_date(one.deadline.last_day) for one in overdue if one.deadline))
        ),
        "listed_sms": _list_in_sms(asking, words),
        "basis": bases.pop() if len(bases) == 1 else "",
        "differs_in_receiver": len({one.receiver.full for one in ordered}) > 1,
        "has_copies": any(one.is_copy for one in ordered),
        "acknowledging": bool(asking),
        "ack_link": frame.ack_link,
    }


def _classify_request(facts: LetterFacts) -> Request:
    """Return what is asked of one of several reports, or told of it."""
    if facts.is_copy:
        return "join"
    if facts.one.alert.correction is not None:
        return "revise"
    match facts.kind:
        case StepKind.SUCCESSION:
            return "take-over" if facts.is_to_heir else "passed"
        case StepKind.RECEIVED:
            return "received"
        case StepKind.EXEMPTION:
            return "exempt"
        case StepKind.EXTENSION:
            return "extended"
        case StepKind.OPENING:
            return "prepare"
        case _:
            return "complete" if facts.one.alert.missing else "send"


def _order_by_deadline(facts: LetterFacts) -> tuple[bool, bool, str, str]:
    due = facts.one.alert.due_at
    return facts.asks_nothing, not facts.is_overdue, due.isoformat() if due else "9999", str(facts.one.duty)


def _list_in_sms(facts: Sequence[LetterFacts], words: Words) -> str:
    if not facts or len(facts) > _LISTED_IN_SMS or any(one.deadline is None for one in facts):
        return ""
    return words.listed_in_sms(
        [(_name_report(one, words)["report_sms"], one.deadline.last_day) for one in facts if one.deadline]
    )


def _describe_tables(facts: Sequence[LetterFacts], words: Words, history: LetterHistory, *, is_to_list: bool) -> Values:
    """Return the values of a letter to superiors: one table for each report."""
    by_report: dict[tuple[str, str, str | None], list[LetterFacts]] = {}
    for one in facts:
        duty = one.one.duty
        by_report.setdefault((duty.plan, duty.obligation, duty.period), []).append(one)
    agencies = [*{one.one.duty.agency: one.agency.full for one in facts}.values()]
    tables = []
    extended = exempt = 0
    for key, rows in by_report.items():
        partial = [one for one in rows if one.one.alert.missing]
        counts = history.counts.get(key) if is_to_list else None
        if counts:
            extended, exempt = extended + counts.extended, exempt + counts.exempt
        tables.append(
            {
                "title": _name_report(rows[0], words)["report_heading"],
                "groups": _describe_groups(rows, words),
                "expected": counts.expected if counts else 0,
                "complete": counts.complete if counts else 0,
                "absent": words.count(len(rows) - len(partial)) if len(partial) < len(rows) else "",
                "partial": words.count(len(partial)) if partial else "",
            }
        )
    return {
        "tables": tables,
        "is_to_list": is_to_list,
        "is_wide": True,
        "count": len(facts),
        "expected": tables[0]["expected"] if len(tables) == 1 else 0,
        "agencies_words": words.count(len(agencies)),
        "only_agency": agencies[0] if len(agencies) == 1 else "",
        "left_out": words.left_out(extended, exempt),
    }


def _describe_groups(rows: Sequence[LetterFacts], words: Words) -> list[Values]:
    """Return the rows in two groups, not received and not complete, numbered through."""
    order = {agency: place for place, agency in enumerate(rows[0].registry.by_id)}
    listed = sorted(rows, key=lambda one: order.get(one.one.duty.agency, len(order)))
    absent = [one for one in listed if not one.one.alert.missing]
    partial = [one for one in listed if one.one.alert.missing]
    named = ((absent, words.absent_reports), (partial, words.partial_reports))
    kept = [(found, title(len(found))) for found, title in named if found]
    groups, number = [], 0
    for roman, (found, title) in zip(_ROMAN, kept, strict=False):
        described = []
        for one in found:
            number += 1
            described.append(_describe_row(one, words, number))
        groups.append({"title": f"{roman}. {title}", "rows": described})
    return groups


def _describe_row(facts: LetterFacts, words: Words, number: int) -> Values:
    history, alert = facts.history, facts.one.alert
    urged = _days(history.find_taken(StepKind.URGING, alert.due_at, before=alert), facts)
    since = history.unreached_since
    named = history.named
    note = words.note_of_row(
        "; ".join(one.removesuffix(".") for one in facts.lacks),
        named.promised_on if named else None,
        since.astimezone(facts.zone).date() if since else None,
        facts.receiver.brief,
    )
    days_over = -facts.deadline.days_left if facts.deadline else 0
    times = f"{len(urged)}; {words.day_and_month(urged[-1])}" if urged else "0"
    return {"cells": (str(number), facts.agency.full, str(days_over), times), "note": note}
