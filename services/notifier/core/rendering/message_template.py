"""The letter: which parts an alert has, in which order, and which are left out where nothing is known of them.

It holds no word of any language; those are the phrases it is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from schemas.events.assessments import StepKind
from schemas.plan import periods
from services.notifier.core.rendering.missing_parts import (
    FailedCheck,
    Lack,
    LackingAttachments,
    LackingIndicator,
    LackingSection,
    LackingSignature,
)
from services.notifier.core.rendering.phrases import Phrases, Prose, Row
from services.notifier.core.rendering.template_context import Deadline, Matter

DETAILED = 6  # matters told row by row; of more, each is a line of one table, for a superior looks down a list


@dataclass(frozen=True, slots=True)
class Letter:
    """Alerts in one language. *reader* is the name of the agency that reads, or nothing for a contact list."""

    phrases: Phrases

    def prose(self, matters: Sequence[Matter], reader: str | None) -> Prose:
        """Return the mail about *matters*, the most pressing first."""
        words = self.phrases.words
        return Prose(
            subject=self._subject(matters),
            greeting=self.phrases.greeting(reader),
            opening=self._opening(matters, reader or words.reader),
            items=(tuple(map(self._line, matters)),) if _is_list(matters) else tuple(map(self._rows, matters)),
            closing=(words.closing,),
            signature=self._speaker(matters),
            footer=words.footer,
        )

    def short(self, matters: Sequence[Matter], reader: str | None) -> tuple[str, ...]:
        """Return the SMS about *matters*, from the fullest wording to the tersest."""
        if len(matters) > 1:
            return self._short_of_many(matters, reader or self.phrases.words.reader)
        one = matters[0]
        full = self.phrases.report(one, self._about(one))
        terse = self.phrases.report_in_brief(one, self._of_period(one))
        return self._short(one, full), self._short(one, terse)

    def _subject(self, matters: Sequence[Matter]) -> str:
        if len(matters) > 1:
            return self.phrases.subject_of_many(len(matters), _sources(matters))
        one = matters[0]
        ending = f" – {self._by(one.deadline)}" if one.deadline else ""
        return f"{self.phrases.subject(one, self._about(one))}{ending}"

    def _opening(self, matters: Sequence[Matter], reader: str) -> str:
        one, who = matters[0], self._speaker(matters)
        if len(matters) > 1:
            return self.phrases.opening_of_many(len(matters), who=who, reader=reader)
        by = self._by(one.deadline) if one.deadline else self.phrases.words.undated
        return self.phrases.opening(one, who=who, by=by, reader=reader)

    def _speaker(self, matters: Sequence[Matter]) -> str:
        return matters[0].receiver or self.phrases.words.signature

    def _rows(self, one: Matter) -> tuple[Row, ...]:
        words = self.phrases.words
        labels = words.labels
        rows = [
            Row(label=labels.title, values=(self._about(one),)),
            Row(label=labels.agency, values=(one.agency,)),
            Row(label=labels.basis, values=(self.phrases.basis(one),)),
        ]
        if one.deadline:
            rows.append(Row(label=labels.deadline, values=(self._day_and_distance(one.deadline),)))
        rows.append(Row(label=labels.state, values=(self._state(one),)))
        if one.lacks:
            rows.append(Row(label=labels.lacks, values=tuple(map(self._lack, one.lacks))))
        if one.link:
            rows.append(Row(label=labels.form, values=(words.open_form,), link=one.link))
        return tuple(rows)

    def _line(self, one: Matter) -> Row:
        words = self.phrases.words
        parts = [f"{self._about(one)} ({words.clause} {one.clause}, {one.source})"]
        if one.deadline:
            parts.append(f"{words.due} {self._day_and_distance(one.deadline)}")
        parts.append(f"{words.lacking} {self._lacks(one)}" if one.lacks else words.absent)
        return Row(label=one.agency, values=("; ".join(parts),))

    def _state(self, one: Matter) -> str:
        words = self.phrases.words
        if one.lacks:
            return words.partial
        is_early = one.deadline is not None and not one.deadline.has_passed
        return words.early if is_early else words.absent

    def _about(self, one: Matter) -> str:
        return f"{one.title}{self._of_period(one)}"

    def _of_period(self, one: Matter) -> str:
        return f" {self.phrases.period(periods.parse(one.period))}" if one.period else ""

    def _by(self, due: Deadline) -> str:
        return f"{self.phrases.words.due} {self.phrases.day(due)}"

    def _day_and_distance(self, due: Deadline) -> str:
        return f"{self.phrases.day(due)} ({self.phrases.distance(due)})"

    def _lacks(self, one: Matter) -> str:
        """Return what is missing as part of a sentence, which the plan's own words for a check do not end."""
        return "; ".join(self._lack(lack).removesuffix(".") for lack in one.lacks)

    def _lack(self, lack: Lack) -> str:
        match lack:
            case LackingSection():
                return self.phrases.section(lack.title)
            case LackingIndicator():
                return f"{self.phrases.indicator(lack.title)}{self._measure(lack)}"
            case LackingAttachments():
                kinds = ", ".join(self.phrases.words.media_types.get(one, one) for one in lack.media_types)
                return f"{self.phrases.attachments(lack.least)}{f' ({kinds})' if kinds else ''}"
            case LackingSignature():
                return self.phrases.words.unsigned
            case FailedCheck():
                return lack.message
            case _:
                assert_never(lack)

    def _measure(self, lack: LackingIndicator) -> str:
        words, number = self.phrases.words, self.phrases.number
        unit = f"{words.unit} {words.units.get(lack.unit, lack.unit)}" if lack.unit else ""
        low = f"{words.low} {number(lack.low)}" if lack.low is not None else ""
        high = f"{words.high} {number(lack.high)}" if lack.high is not None else ""
        told = "; ".join(part for part in (unit, f"{low} {high}".strip()) if part)
        return f" ({told})" if told else ""

    def _short(self, one: Matter, report: str) -> str:
        words = self.phrases.words
        by = f" {words.due.capitalize()} {self.phrases.day(one.deadline)}." if one.deadline else ""
        names_lacks = bool(one.lacks) and one.kind is not StepKind.ESCALATION
        lacking = f" {words.missing}: {self._lacks(one)}." if names_lacks else ""
        return f"{self.phrases.short(one, report)}.{by}{lacking}"

    def _short_of_many(self, matters: Sequence[Matter], reader: str) -> tuple[str, ...]:
        words = self.phrases.words
        ask = self.phrases.short_of_many(len(matters), sources=_sources(matters), reader=reader)
        clauses = ", ".join(dict.fromkeys(f"{words.clause} {one.clause}" for one in matters))
        dated = [one.deadline for one in matters if one.deadline]
        soonest = min(dated, key=lambda due: due.last_day, default=None)
        nearest = f" {words.nearest} {self.phrases.day(soonest)}." if soonest else ""
        return f"{ask} ({clauses}).{nearest}", f"{ask}.{nearest}"


def _is_list(matters: Sequence[Matter]) -> bool:
    """Whether *matters* are told as a list: too many for details, and none with a link to open."""
    return len(matters) > DETAILED and not any(one.link for one in matters)


def _sources(matters: Sequence[Matter]) -> str:
    return ", ".join(dict.fromkeys(one.source for one in matters))
