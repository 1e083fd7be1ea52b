"""Parses the options of a new key: its scope, its rate, its validity and the overlap of a rotation.

A key that nobody could use is refused. Whether an agency or group exists is not checked, because keys may be created
before any plan is published.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import isodate

from schemas.events.ids import REPORTING_SOURCE
from schemas.text import normal_form
from services.console.support.inputs import UnusableInputError
from services.intake.core import uris
from services.intake.core.cloud_event import TEXT_MAX
from services.intake.core.scopes import (
    DECISION_TYPES,
    KNOWN_TYPES,
    NO_PROOF,
    PROOFS,
    REVIEW_TYPES,
    WILDCARD,
    KeyScope,
    SourceScope,
    is_reserved,
)

# What the key of reporting itself may claim: the officer's answers to reports, from its own source, and nothing else.
REPORTING_SCOPE = KeyScope(
    agencies=frozenset({WILDCARD}),
    groups=frozenset(),
    types=REVIEW_TYPES,
    sources=SourceScope(names=frozenset({REPORTING_SOURCE})),
    may_review=True,
)

# A key that is not renewed ends by itself, so that one that was forgotten, or has leaked, does not serve for ever.
DEFAULT_VALIDITY = "P1Y"

# Events a second of a key for which nothing else is said: one full batch a second, far above what an upstream system
# of a province sends, and a small part of what intake takes.
DEFAULT_RATE = 1_000.0

# Events a second: one a day. A lower rate would keep an event waiting so long that it amounts to a refusal.
MIN_RATE = 1 / 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeOptions:
    """The options of `dondoc keys create` that say what the key may claim; None where an option was not given."""

    agencies: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    types: Sequence[str] | None = None
    sources: Sequence[str] | None = None
    proofs: Sequence[str] | None = None
    may_decide: bool = False
    may_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """Whose key it is, from when until when, and how many events a second it may post."""

    system: str
    created_at: datetime
    expires_at: datetime
    events_per_second: float


def parse_terms(system: str, validity: str, events_per_second: float, *, since: datetime) -> KeyTerms:
    """Return the terms of a key that is made at *since*; raise `UnusableInputError` where it could not be used."""
    return KeyTerms(
        system=parse_name(system, "--system"),
        created_at=since,
        expires_at=parse_expiry(validity, since=since),
        events_per_second=_parse_rate(events_per_second),
    )


def parse_scope(options: ScopeOptions) -> KeyScope:
    """Return the scope of the given options; raise `UnusableInputError` where it covers nothing."""
    is_of_reporting = REPORTING_SOURCE in (options.sources or ())
    if is_of_reporting:
        _require_reviews_alone(options)
    agencies, groups = options.agencies or (), options.groups or ()
    types = options.types or (REVIEW_TYPES if is_of_reporting else (WILDCARD,))
    if not agencies and not groups:
        raise UnusableInputError("say for whom the key may post: --agency ID, --group ID or --agency '*'")
    for option, names in (("--agency", agencies), ("--group", groups)):
        for one in names:
            parse_name(one, option)
    if WILDCARD in groups:
        raise UnusableInputError("--group '*' would cover nobody: name the group, or use --agency '*' for every agency")
    for event_type in types:
        _check_type(event_type, options)
    return KeyScope(
        agencies=frozenset(agencies),
        groups=frozenset(groups),
        types=frozenset(types),
        sources=SourceScope(names=frozenset(map(_parse_source, options.sources or (WILDCARD,)))),
        proofs=frozenset(map(_parse_proof, options.proofs or ())) - {NO_PROOF},
        may_decide=options.may_decide,
        may_review=options.may_review,
    )


def inherit_scope(options: ScopeOptions, rotated: KeyScope) -> ScopeOptions:
    """Return *options* for a key that takes the place of one with the scope *rotated*: what is not given stays."""
    names_agencies = options.agencies is not None or options.groups is not None
    return ScopeOptions(
        agencies=options.agencies if names_agencies else tuple(rotated.agencies),
        groups=options.groups if names_agencies else tuple(rotated.groups),
        types=options.types or tuple(rotated.types),
        sources=options.sources or tuple(rotated.sources.names),
        proofs=options.proofs or tuple(rotated.proofs),
        may_decide=options.may_decide or rotated.may_decide,
        may_review=options.may_review or rotated.may_review,
    )


def parse_name(text: str, option: str) -> str:
    """Return the name *text*; raise `UnusableInputError`, naming the *option*, where it is blank or not printable."""
    if not text.strip() or not text.isprintable():
        raise UnusableInputError(f"{option}: {text!r} is no name; write it in letters, as UTF-8")
    return text


def _parse_rate(events_per_second: float) -> float:
    """Return the rate; raise `UnusableInputError` where it is below one event a day or not finite."""
    if not MIN_RATE <= events_per_second < math.inf:
        raise UnusableInputError(
            f"--rate: {events_per_second} is no rate; write events a second, at least one a day ({MIN_RATE:.6f})"
        )
    return events_per_second


def parse_expiry(span: str, *, since: datetime) -> datetime:
    """Return the instant *span* after *since*.

    *span* is an ISO 8601 duration such as `P1Y`. Raise `UnusableInputError` where the key would never be valid.
    """
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


def _require_reviews_alone(options: ScopeOptions) -> None:
    """Raise `UnusableInputError` where a key with the source of reporting could post anything but reviews."""
    others = {
        "--source": len(options.sources or ()) > 1,
        "--type": not REVIEW_TYPES.issuperset(options.types or ()),
        "--proof": bool(options.proofs),
        "--decisions": options.may_decide,
        "--reviews": not options.may_review,
    }
    wrong = [option for option, is_wrong in others.items() if is_wrong]
    if wrong:
        raise UnusableInputError(
            f"--source {REPORTING_SOURCE} is reporting's own, whose key returns and accepts reports and does nothing "
            f"else: give --reviews and no other --source, --type, --proof or --decisions (see {', '.join(wrong)})"
        )


def _check_type(event_type: str, options: ScopeOptions) -> None:
    if event_type != WILDCARD and event_type not in KNOWN_TYPES:
        known = ", ".join(sorted(KNOWN_TYPES))
        raise UnusableInputError(f"--type: {event_type!r} is no type of event that intake takes; there are {known}")
    if event_type in DECISION_TYPES and not options.may_decide:
        raise UnusableInputError(
            f"--type: {event_type} moves a deadline, which a key may do only with --decisions; add it"
        )
    if event_type in REVIEW_TYPES and not options.may_review:
        raise UnusableInputError(
            f"--type: {event_type} judges a report, which a key may do only with --reviews; add it"
        )


def _parse_source(text: str) -> str:
    """Return a source, a prefix with `*` at its end, or `*`, in the form in which intake compares it (NFC)."""
    source = normal_form.normalize(text)
    if source == WILDCARD:
        return source
    if is_reserved(source) and source != REPORTING_SOURCE:
        raise UnusableInputError(f"--source: {text!r} is the product's own; name a source of the upstream system")
    if not source or len(source) > TEXT_MAX or not uris.is_reference(source.removesuffix(WILDCARD)):
        raise UnusableInputError(
            f"--source: {text!r} is no source; write a URI-reference such as urn:qlvb:so-tc or qlvb.so-tc.example, "
            "'urn:qlvb:*' for all that begin so, or '*' for all that no other key names"
        )
    return source


def _parse_proof(text: str) -> str:
    if text != NO_PROOF and text not in PROOFS:
        known = ", ".join(sorted(PROOFS))
        raise UnusableInputError(f"--proof: {text!r} is no proof of dispatch that counts; there are {known}")
    return text


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
