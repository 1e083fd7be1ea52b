"""The alerts in English, for readers who asked for it: the same courtesy as in Vietnamese, sentence by sentence."""

from collections.abc import Sequence
from typing import assert_never

from schemas import periods
from schemas.assessments import StepKind
from schemas.periods import Recurrence
from services.notifier.core.lacks import (
    FailedCheck,
    Lack,
    LackingAttachments,
    LackingIndicator,
    LackingSection,
    LackingSignature,
)
from services.notifier.core.matters import Deadline, Matter
from services.notifier.core.wording import Prose, Row, is_list

UNITS = {"million_vnd": "million VND", "billion_vnd": "billion VND", "vnd": "VND", "percent": "%"}
SIGNATURE = "Đôn Đốc reporting calendar"
READER = "your agency"
FOOTER = (
    "This message is sent automatically to help keep track of deadlines and does not replace an official letter. "
    "If the report has been sent already, please disregard it."
)


class English:
    """The wording for readers of English."""

    def prose(self, matters: Sequence[Matter], reader: str | None) -> Prose:
        first = matters[0]
        return Prose(
            subject=_subject(matters),
            greeting=f"To: {reader or 'Sir or Madam'}",
            opening=_opening(first, reader) if len(matters) == 1 else _opening_of_many(matters, reader),
            items=(tuple(map(_line, matters)),) if is_list(matters) else tuple(map(_rows, matters)),
            closing=("Thank you for your kind attention and cooperation.",),
            signature=first.receiver or SIGNATURE,
            footer=FOOTER,
        )

    def short(self, matters: Sequence[Matter], reader: str | None) -> tuple[str, ...]:
        if len(matters) > 1:
            return _short_of_many(matters, reader)
        one = matters[0]
        full = f'the report "{one.title}{_of_period(one)}" (clause {one.clause}, {one.source})'
        terse = f"the report{_of_period(one)} under clause {one.clause} of {one.source}"
        return _short(one, full), _short(one, terse)


def _subject(matters: Sequence[Matter]) -> str:
    first = matters[0]
    if len(matters) > 1:
        return f"Kind request concerning {len(matters)} reports under {_sources(matters)}"
    about = f"{first.title}{_of_period(first)}"
    ending = f" – due by {_day(first.deadline)}" if first.deadline else ""
    match first.kind:
        case StepKind.REMINDER:
            return f"Reminder: {about}{ending}"
        case StepKind.URGING:
            return f"Kind request: {about}{ending}"
        case StepKind.INCOMPLETE:
            return f"Please complete: {about}{ending}"
        case StepKind.ESCALATION:
            return f"For information: {first.agency} – {about}{ending}"
        case _:
            assert_never(first.kind)


def _opening(one: Matter, reader: str | None) -> str:
    who = one.receiver or SIGNATURE
    by = f"due by {_day(one.deadline)}" if one.deadline else "the document sets no date"
    match one.kind:
        case StepKind.REMINDER:
            return f"{who} respectfully requests {one.agency} to send the report below in time ({by})."
        case StepKind.URGING:
            return (
                f"{who} has not yet received the {_wanted(one)} below from {one.agency} ({by}), "
                f"and respectfully requests {one.agency} to send it as soon as possible."
            )
        case StepKind.INCOMPLETE:
            return (
                f"{who} has received the report below from {one.agency} and respectfully requests {one.agency} "
                f"to add what is still missing ({by})."
            )
        case StepKind.ESCALATION:
            return (
                f"{who} wishes to inform you that the {_wanted(one)} below from {one.agency} "
                f"has not been received yet ({by}), and respectfully requests {reader or READER} to give it attention."
            )
        case _:
            assert_never(one.kind)


def _opening_of_many(matters: Sequence[Matter], reader: str | None) -> str:
    who = matters[0].receiver or SIGNATURE
    return f"{who} respectfully requests the attention of {reader or READER} to the {len(matters)} matters below."


def _wanted(one: Matter) -> str:
    return "complete report" if one.lacks else "report"


def _rows(one: Matter) -> tuple[Row, ...]:
    dated = f" of {one.source_issued_on:%d/%m/%Y}" if one.source_issued_on else ""
    rows = [
        Row(label="Subject", values=(f"{one.title}{_of_period(one)}",)),
        Row(label="Reporting agency", values=(one.agency,)),
        Row(label="Basis", values=(f"clause {one.clause}, document {one.source}{dated}",)),
    ]
    if one.deadline:
        rows.append(Row(label="Due by", values=(f"{_day(one.deadline)} ({_distance(one.deadline)})",)))
    rows.append(Row(label="State", values=(_state(one),)))
    if one.lacks:
        rows.append(Row(label="Still missing", values=tuple(_lack(lack) for lack in one.lacks)))
    if one.link:
        rows.append(Row(label="Send online (for your agency only)", values=("Open the form",), link=one.link))
    return tuple(rows)


def _line(one: Matter) -> Row:
    parts = [f"{one.title}{_of_period(one)} (clause {one.clause}, {one.source})"]
    if one.deadline:
        parts.append(f"due by {_day(one.deadline)} ({_distance(one.deadline)})")
    parts.append(f"still missing {'; '.join(map(_lack, one.lacks))}" if one.lacks else "not received yet")
    return Row(label=one.agency, values=("; ".join(parts),))


def _state(one: Matter) -> str:
    if one.lacks:
        return "received, not complete"
    is_early = one.deadline is not None and not one.deadline.has_passed
    return "not due yet, not received yet" if is_early else "not received yet"


def _day(due: Deadline) -> str:
    if due.before is None:
        return f"the end of {due.last_day:%d/%m/%Y}"
    return f"{due.before:%H:%M} on {due.last_day:%d/%m/%Y}"


def _distance(due: Deadline) -> str:
    if due.has_passed:
        return f"{_days(-due.days_left)} overdue" if due.days_left < 0 else "overdue"
    return f"{_days(due.days_left)} left" if due.days_left else "today is the last day"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _of_period(one: Matter) -> str:
    return f" {_period(one.period)}" if one.period else ""


def _period(text: str) -> str:
    period = periods.parse(text)
    year, month = period.starts_on.year, period.starts_on.month
    match period.recurrence:
        case Recurrence.MONTH:
            return f"for {period.starts_on:%m/%Y}"
        case Recurrence.QUARTER:
            return f"for quarter {month // 3 + 1} of {year}"
        case Recurrence.HALF_YEAR:
            return f"for the {'first' if month == 1 else 'second'} half of {year}"
        case _:
            return f"for {year}"


def _lack(lack: Lack) -> str:
    match lack:
        case LackingSection():
            return f'the section "{lack.name}"'
        case LackingIndicator():
            return f'the indicator "{lack.title}"{_measure(lack)}'
        case LackingAttachments():
            kinds = ", ".join(lack.media_types)
            return f"at least {lack.least} attached file(s){f' ({kinds})' if kinds else ''}"
        case LackingSignature():
            return "the signature of the responsible person"
        case FailedCheck():
            return lack.message
        case _:
            assert_never(lack)


def _measure(lack: LackingIndicator) -> str:
    unit = f"in {UNITS.get(lack.unit, lack.unit)}" if lack.unit else ""
    low = f"from {lack.low:,.10g}" if lack.low is not None else ""
    high = f"to {lack.high:,.10g}" if lack.high is not None else ""
    told = "; ".join(part for part in (unit, f"{low} {high}".strip()) if part)
    return f" ({told})" if told else ""


def _short(one: Matter, name: str) -> str:
    by = f" Due by {_day(one.deadline)}." if one.deadline else ""
    lacking = f" Missing: {'; '.join(_lack(lack) for lack in one.lacks)}." if one.lacks else ""
    match one.kind:
        case StepKind.REMINDER:
            return f"{one.agency} is kindly requested to send {name}.{by}{lacking}"
        case StepKind.URGING:
            return f"{one.agency} is kindly requested to send {name} soon.{by}{lacking}"
        case StepKind.INCOMPLETE:
            return f"{one.agency} is kindly requested to complete {name}.{by}{lacking}"
        case StepKind.ESCALATION:
            return f"For information: {one.agency} has not sent {name}{' in full' if one.lacks else ''}.{by}"
        case _:
            assert_never(one.kind)


def _short_of_many(matters: Sequence[Matter], reader: str | None) -> tuple[str, ...]:
    ask = f"The attention of {reader or READER} is kindly requested to {len(matters)} reports under {_sources(matters)}"
    clauses = ", ".join(dict.fromkeys(f"clause {one.clause}" for one in matters))
    dated = [one.deadline for one in matters if one.deadline]
    nearest = f" The nearest is due by {_day(min(dated, key=lambda due: due.last_day))}." if dated else ""
    return f"{ask} ({clauses}).{nearest}", f"{ask}.{nearest}"


def _sources(matters: Sequence[Matter]) -> str:
    return ", ".join(dict.fromkeys(one.source for one in matters))
