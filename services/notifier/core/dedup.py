"""How an agenda changes: following an assessment, and taking what is due to be said.

Both are pure, so a redelivered assessment, a restart and the simulation all come to the same answer. A call that was
said is never said again; of the calls missed while the notifier was down only the one that matters now is said; one
whose reason is gone is not said at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from schemas.assessments import StepKind
from services.notifier.core.assessed import Assessed, calls
from services.notifier.core.calls import SEVERITY, Agenda, Call, Telling
from services.notifier.core.quiet_hours import SendingHours


def follow(known: Agenda | None, assessed: Assessed, hours: SendingHours, now: datetime) -> Agenda:
    """Return the agenda after *assessed*; *known* itself where the assessment is older than the one followed."""
    if known is not None and assessed.revision < known.revision:
        return known
    said = known.said if known else frozenset[str]()
    wanted = calls(assessed, now)
    waiting = (_moved(call, hours, now) for one in wanted for call in _outstanding(one, said, hours, now))
    return Agenda(
        duty=assessed.duty,
        plan_version=assessed.plan_version,
        registry=assessed.registry,
        registry_version=assessed.registry_version,
        clause=assessed.clause,
        revision=assessed.revision,
        waiting=_in_order(waiting),
        said=said,
        standing=tuple((call.standing, call.until) for call in wanted),
    )


def take(agenda: Agenda, hours: SendingHours, now: datetime) -> tuple[tuple[Telling, ...], Agenda]:
    """Return what is to be told at *now*, and the agenda in which it counts as said.

    Outside the sending hours nothing is told and what is due waits for the next opening.
    """
    due = [_latest(call, hours, now) for call in agenda.waiting if call.send_at <= now]
    if not due:
        return (), agenda
    later = [call for call in agenda.waiting if call.send_at > now]
    if not hours.is_open(now):
        return (), replace(agenda, waiting=_in_order([*later, *(_moved(call, hours, now) for call in due)]))
    repetitions = [_moved(again, hours, now) for call in due if (again := call.repetition(call.nth + 1, hours.zone))]
    taken = replace(
        agenda,
        waiting=_in_order([*later, *repetitions]),
        said=(agenda.said - _overtaken(due)) | {call.identity for call in due},
    )
    return tuple(_telling(agenda, call) for call in _collapsed(due, now)), taken


def _outstanding(call: Call, said: frozenset[str], hours: SendingHours, now: datetime) -> Iterator[Call]:
    """Yield the call, or the repetition of it that matters at *now*, unless it was said or is void."""
    latest = _latest(call, hours, now)
    if latest.is_void(now):
        return
    if latest.identity not in said:
        yield latest
    elif again := latest.repetition(latest.nth + 1, hours.zone):
        yield again


def _latest(call: Call, hours: SendingHours, now: datetime) -> Call:
    """Return the last repetition that has come by *now*, the call itself where none has."""
    latest = call
    while (again := call.repetition(latest.nth + 1, hours.zone)) and again.at <= now:
        latest = again
    return latest


def _moved(call: Call, hours: SendingHours, now: datetime) -> Call:
    """Return the call with its time of sending; one that is late already waits for the sending hours from *now* on."""
    before = call.due_at if call.kind is StepKind.REMINDER else None
    send_at = hours.moved(call.at, before=before)
    return replace(call, send_at=send_at if send_at >= now else hours.next_open(now))


def _collapsed(due: Iterable[Call], now: datetime) -> list[Call]:
    """Return the last call to each recipient that still stands: it makes the earlier ones pointless."""
    last: dict[str, Call] = {}
    for call in sorted(due, key=lambda one: (one.at, SEVERITY[one.kind])):
        if not call.is_void(now):
            last[call.to] = call
    return list(last.values())


def _overtaken(due: Iterable[Call]) -> frozenset[str]:
    """Return the identities of repetitions that later ones replace, so that an agenda does not grow for ever."""
    return frozenset(replace(call, nth=nth).identity for call in due for nth in range(call.nth))


def _telling(agenda: Agenda, call: Call) -> Telling:
    return Telling(
        duty=agenda.duty,
        plan_version=agenda.plan_version,
        registry=agenda.registry,
        registry_version=agenda.registry_version,
        clause=agenda.clause,
        call=call,
    )


def _in_order(calls: Iterable[Call]) -> tuple[Call, ...]:
    return tuple(sorted(calls, key=lambda call: (call.send_at, call.at, SEVERITY[call.kind], call.to)))
