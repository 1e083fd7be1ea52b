"""What a new key may do, and how long, as the command line asks for it. A key that nobody could use is refused.

Whether there is such an agency or group is not known here: keys are made before any plan is published, too.
"""

import math
from collections.abc import Sequence
from datetime import datetime

import isodate

from schemas.events.facts import MODEL_OF
from services.console.support.inputs import Unusable
from services.intake.core.scopes import DECISION_TYPES, WILDCARD, KeyScope

LEAST_RATE = 1 / 86_400
"""Events a second: one a day. What waits longer than that for its turn is refused in all but name."""


def scope(agencies: Sequence[str], groups: Sequence[str], types: Sequence[str], *, may_decide: bool) -> KeyScope:
    """Return the scope that was asked for; raise `Unusable` where it covers nothing."""
    if not agencies and not groups:
        raise Unusable("say for whom the key may post: --agency ID, --group ID or --agency '*'")
    for option, names in (("--agency", agencies), ("--group", groups)):
        for one in names:
            name(one, option)
    if WILDCARD in groups:
        raise Unusable("--group '*' would cover nobody: name the group, or use --agency '*' for every agency")
    for event_type in types:
        _check_type(event_type, may_decide=may_decide)
    return KeyScope(
        agencies=frozenset(agencies),
        groups=frozenset(groups),
        types=frozenset(types or (WILDCARD,)),
        may_decide=may_decide,
    )


def name(text: str, option: str) -> str:
    """Return the name *text*; raise `Unusable`, naming the *option*, where it is empty or no text at all."""
    if not text.strip() or not text.isprintable():
        raise Unusable(f"{option}: {text!r} is no name; write it in letters, as UTF-8")
    return text


def rate(events_per_second: float | None) -> float | None:
    """Return the rate; raise `Unusable` where it is none."""
    if events_per_second is not None and not LEAST_RATE <= events_per_second < math.inf:
        raise Unusable(
            f"--rate: {events_per_second} is no rate; write events a second, at least one a day ({LEAST_RATE:.6f}), "
            "or leave it out for no limit"
        )
    return events_per_second


def expiry(span: str | None, *, since: datetime) -> datetime | None:
    """Return when a key that is good for *span* expires, if ever; raise `Unusable` where it never would be good."""
    if span is None:
        return None
    end = _end_of(span, "--valid-for", since)
    if end <= since:
        raise Unusable(f"--valid-for: {span!r} is over before the key is good for anything; write P1Y, for example")
    return end


def overlap(span: str, *, since: datetime) -> datetime:
    """Return until when the key that is rotated stays good; raise `Unusable` where that would be in the past."""
    end = _end_of(span, "--overlap", since)
    if end < since:
        raise Unusable(
            f"--overlap: {span!r} ends in the past; write P7D, for example, or P0D to end the old key at once"
        )
    return end


def _check_type(event_type: str, *, may_decide: bool) -> None:
    if event_type != WILDCARD and event_type not in MODEL_OF:
        known = ", ".join(sorted(MODEL_OF))
        raise Unusable(f"--type: {event_type!r} is no type of event that intake takes; there are {known}")
    if event_type in DECISION_TYPES and not may_decide:
        raise Unusable(f"--type: {event_type} moves a deadline, which a key may do only with --decisions; add it")


def _end_of(span: str, option: str, since: datetime) -> datetime:
    try:
        duration = isodate.parse_duration(span)
    except (ValueError, ArithmeticError) as cause:
        raise Unusable(f"{option}: {span!r} is no ISO 8601 duration such as P7D") from cause
    try:
        end: datetime = since + duration
    except (ValueError, ArithmeticError) as cause:
        raise Unusable(f"{option}: {span!r} from now is no date; write whole years and months, up to 9999") from cause
    return end
