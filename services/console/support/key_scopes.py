"""Parses the options of a new key: its scope, its rate, its validity and the overlap of a rotation.

A key that nobody could use is refused. Whether an agency or group exists is not checked, because keys may be created
before any plan is published.
"""

import math
from collections.abc import Sequence
from datetime import datetime

import isodate

from schemas.events.facts import MODEL_OF
from services.console.support.inputs import UnusableInputError
from services.intake.core.scopes import DECISION_TYPES, WILDCARD, KeyScope

# Events a second: one a day. A lower rate would keep an event waiting so long that it amounts to a refusal.
MIN_RATE = 1 / 86_400


def parse_scope(agencies: Sequence[str], groups: Sequence[str], types: Sequence[str], *, may_decide: bool) -> KeyScope:
    """Return the scope of the given options; raise `UnusableInputError` where it covers nothing."""
    if not agencies and not groups:
        raise UnusableInputError("say for whom the key may post: --agency ID, --group ID or --agency '*'")
    for option, names in (("--agency", agencies), ("--group", groups)):
        for one in names:
            parse_name(one, option)
    if WILDCARD in groups:
        raise UnusableInputError("--group '*' would cover nobody: name the group, or use --agency '*' for every agency")
    for event_type in types:
        _check_type(event_type, may_decide=may_decide)
    return KeyScope(
        agencies=frozenset(agencies),
        groups=frozenset(groups),
        types=frozenset(types or (WILDCARD,)),
        may_decide=may_decide,
    )


def parse_name(text: str, option: str) -> str:
    """Return the name *text*; raise `UnusableInputError`, naming the *option*, where it is blank or not printable."""
    if not text.strip() or not text.isprintable():
        raise UnusableInputError(f"{option}: {text!r} is no name; write it in letters, as UTF-8")
    return text


def parse_rate(events_per_second: float | None) -> float | None:
    """Return the rate; raise `UnusableInputError` where it is below one event a day or not finite."""
    if events_per_second is not None and not MIN_RATE <= events_per_second < math.inf:
        raise UnusableInputError(
            f"--rate: {events_per_second} is no rate; write events a second, at least one a day ({MIN_RATE:.6f}), "
            "or leave it out for no limit"
        )
    return events_per_second


def parse_expiry(span: str | None, *, since: datetime) -> datetime | None:
    """Return the instant *span* after *since*, or None without a span.

    *span* is an ISO 8601 duration such as `P1Y`. Raise `UnusableInputError` where the key would never be valid.
    """
    if span is None:
        return None
    end = _add_duration(span, "--valid-for", since)
    if end <= since:
        raise UnusableInputError(
            f"--valid-for: {span!r} is over before the key is good for anything; write P1Y, for example"
        )
    return end


def parse_overlap(span: str, *, since: datetime) -> datetime:
    """Return until when the rotated key stays valid; raise `UnusableInputError` where that lies in the past."""
    end = _add_duration(span, "--overlap", since)
    if end < since:
        raise UnusableInputError(
            f"--overlap: {span!r} ends in the past; write P7D, for example, or P0D to end the old key at once"
        )
    return end


def _check_type(event_type: str, *, may_decide: bool) -> None:
    if event_type != WILDCARD and event_type not in MODEL_OF:
        known = ", ".join(sorted(MODEL_OF))
        raise UnusableInputError(f"--type: {event_type!r} is no type of event that intake takes; there are {known}")
    if event_type in DECISION_TYPES and not may_decide:
        raise UnusableInputError(
            f"--type: {event_type} moves a deadline, which a key may do only with --decisions; add it"
        )


def _add_duration(span: str, option: str, since: datetime) -> datetime:
    try:
        # More days than a timedelta holds raise OverflowError, which is an ArithmeticError and no ValueError.
        duration = isodate.parse_duration(span)
    except (ValueError, ArithmeticError) as cause:
        raise UnusableInputError(f"{option}: {span!r} is no ISO 8601 duration such as P7D") from cause
    try:
        end: datetime = since + duration
    except (ValueError, ArithmeticError) as cause:
        raise UnusableInputError(
            f"{option}: {span!r} from now is no date; write whole years and months, up to 9999"
        ) from cause
    return end
