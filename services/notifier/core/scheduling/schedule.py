"""How an agenda changes: following an assessment, and taking what is due to be said.

Both are pure, so a redelivered assessment, a restart and the simulation all come to the same answer. A call that was
said is never said again; of the calls missed while the notifier was down only the one that matters now is said; one
whose reason is gone is not said at all.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.events.assessments import StepKind
from services.notifier.core.scheduling.assessment import Assessed, calls
from services.notifier.core.scheduling.quiet_hours import SendingHours
from services.notifier.core.scheduling.scheduled_alert import SEVERITY, Agenda, Call


def follow(
    known: Agenda | None, assessed: Assessed, hours: SendingHours, *, now: datetime, lookback: timedelta
) -> Agenda:
    """Return the agenda after *assessed*; *known* itself where the assessment is older than the one followed.

    What fell due more than *lookback* before the duty was first assessed is history: a plan adopted after ten years
    urges nobody for the first nine.
    """
    if known is not None and assessed.revision < known.revision:
        return known
    said = known.said if known else frozenset[str]()
    known_since = known.known_since if known else assessed.recorded_at
    wanted = [one for one in calls(assessed, now) if one.due_at is None or one.due_at >= known_since - lookback]
    waiting = (_moved(call, hours, now) for one in wanted for call in _outstanding(one, said, hours, now))
    return Agenda(
        duty=assessed.duty,
        plan_version=assessed.plan_version,
        registry=assessed.registry,
        registry_version=assessed.registry_version,
        clause=assessed.clause,
        revision=assessed.revision,
        known_since=known_since,
        taken=known.taken if known else None,
        waiting=_in_order(waiting),
        said=said,
        standing=tuple((call.standing, call.until) for call in wanted),
    )


def take(agenda: Agenda, hours: SendingHours, now: datetime) -> tuple[tuple[Call, ...], Agenda]:
    """Return what is to be told at *now*, and the agenda in which it counts as said.

    Outside the sending hours nothing is told and what is due waits for the next opening.
    """
    due = [call for call in agenda.waiting if call.send_at <= now]
    if due and not hours.is_open(now):
        later = [call for call in agenda.waiting if call.send_at > now]
        return (), replace(agenda, waiting=_in_order([*later, *(_moved(call, hours, now) for call in due)]))
    latest = [call.latest(now, hours.zone) for call in due]
    return tuple(_collapsed(latest, now)), _without(agenda, due, hours, now)


def pass_over(agenda: Agenda, hours: SendingHours, before: datetime) -> Agenda:
    """Return the agenda in which all that was to be said before *before* counts as said."""
    return _without(agenda, [call for call in agenda.waiting if call.send_at < before], hours, before)


def _without(agenda: Agenda, due: Sequence[Call], hours: SendingHours, now: datetime) -> Agenda:
    """Return the agenda in which *due* counts as said, with the next repetition of what repeats."""
    latest = [call.latest(now, hours.zone) for call in due]
    if not latest:
        return agenda
    following = [again for call in latest if (again := call.repetition(call.nth + 1, hours.zone))]
    later = [call for call in agenda.waiting if call not in due]
    return replace(
        agenda,
        waiting=_in_order([*later, *(_moved(call, hours, now) for call in following)]),
        said=(agenda.said - _overtaken(latest)) | {call.identity for call in latest},
    )


def _outstanding(call: Call, said: frozenset[str], hours: SendingHours, now: datetime) -> Iterator[Call]:
    """Yield the call, or the repetition of it that matters at *now*, unless it was said or is void."""
    latest = call.latest(now, hours.zone)
    if latest.is_void(now):
        return
    if latest.identity not in said:
        yield latest
    elif again := latest.repetition(latest.nth + 1, hours.zone):
        yield again


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


def _in_order(calls: Iterable[Call]) -> tuple[Call, ...]:
    return tuple(sorted(calls, key=lambda call: (call.send_at, call.at, SEVERITY[call.kind], call.to)))
