"""The documents of the current view, as updates that may be made again, late and in any order, and change nothing then.

A document holds the newest assessment of a duty and every attempt at an alert about it. The newest is a maximum, and an
attempt has a field of its own. Neither needs to know what was there before. Values are MessagePack of the types of the
core, whose instants are in UTC.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from schemas.events import ids
from schemas.events.ids import DutyKey
from services.reporting.core.timeline import AssessmentRevision
from services.reporting.core.urging import AlertAttempt

NEWEST, ATTEMPTS, LAST_WRITE, RECENT = "newest", "attempts", "last_write", "recent"
# How many changed duties a mark names, the last ones: on the night of a deadline those of a quarter of a minute. It is
# written anew with every batch, and each of them takes a hundred bytes. A write of more than half as many names none.
NAMED_MAX = 300

_ENCODER = msgspec.msgpack.Encoder()
_ASSESSMENT_DECODER = msgspec.msgpack.Decoder(AssessmentRevision)
_ATTEMPT_DECODER = msgspec.msgpack.Decoder(AlertAttempt)

Update = Mapping[str, Any]


class DamagedViewError(Exception):
    """A document of the view is not what was written: rebuild the database from the log, which has it."""


def fold_assessments(assessments: Iterable[AssessmentRevision]) -> dict[DutyKey, Update]:
    """Return the update of each duty: that of its newest revision among *assessments*."""
    newest: dict[DutyKey, AssessmentRevision] = {}
    for one in assessments:
        known = newest.get(one.key)
        if known is None or known.revision < one.revision:
            newest[one.key] = one
    return {
        key: {
            # MongoDB compares documents field by field in their order, so the revision decides.
            "$max": {NEWEST: {"revision": one.revision, "content": _ENCODER.encode(one)}},
            **_place(key),
        }
        for key, one in newest.items()
    }


def fold_attempts(attempts: Iterable[AlertAttempt]) -> dict[DutyKey, Update]:
    """Return the update of each duty that *attempts* are about."""
    fields: dict[DutyKey, dict[str, bytes]] = {}
    for one in attempts:
        # The id of an event may hold a dot, which would lead into the document.
        name = ids.digest(one.event, one.kind.value, one.step)[:32]
        fields.setdefault(one.key, {})[f"{ATTEMPTS}.{name}"] = _ENCODER.encode(one)
    return {key: {"$set": found, **_place(key)} for key, found in fields.items()}


def decode_assessment(document: Mapping[str, Any]) -> AssessmentRevision | None:
    """Return the newest assessment in *document*, None where there is none yet; raise `DamagedViewError`."""
    if NEWEST not in document:
        return None
    try:
        return _ASSESSMENT_DECODER.decode(document[NEWEST]["content"])
    except (msgspec.DecodeError, TypeError, KeyError) as cause:
        raise DamagedViewError(f"{document.get('_id')}: {cause}") from cause


def decode_attempts(document: Mapping[str, Any]) -> tuple[AlertAttempt, ...]:
    """Return the attempts in *document*, in any order; raise `DamagedViewError`."""
    try:
        return tuple(_ATTEMPT_DECODER.decode(one) for one in document.get(ATTEMPTS, {}).values())
    except (msgspec.DecodeError, TypeError, AttributeError) as cause:
        raise DamagedViewError(f"{document.get('_id')}: {cause}") from cause


def stamp(update: Update, write: str) -> Update:
    """Return *update* with the id of the write that makes it, by which a reader sees that a document has changed.

    An id, because a count begins anew in a database that was dropped, and may come to a number that was read before. An
    update that is made again has another id: it costs one more reading, and none is missed.
    """
    return {**update, "$set": {**update.get("$set", {}), LAST_WRITE: write}}


def renew_mark(plan: str, write: str, duties: Collection[str]) -> Sequence[Update]:
    """Return the update of the mark of a period in which *write* has changed *duties*, which it names.

    Where somebody renewed the mark without naming what was changed, as earlier versions do, the names begin anew.
    """
    named = [*duties] if len(duties) <= NAMED_MAX // 2 else [None]
    entries = [{"write": write, "duty": duty} for duty in named]
    is_continued = {"$eq": [{"$last": f"${RECENT}.write"}, f"${LAST_WRITE}"]}
    before = {"$cond": [is_continued, {"$ifNull": [f"${RECENT}", []]}, []]}
    recent = {"$slice": [{"$concatArrays": [before, {"$literal": entries}]}, -NAMED_MAX]}
    return [{"$set": {"plan": {"$literal": plan}, RECENT: recent, LAST_WRITE: {"$literal": write}}}]


def find_changed_since(mark: Mapping[str, Any], write: str) -> frozenset[str] | None:
    """Return the duties that were changed since *write* renewed *mark*; None where the mark does not know all of them.

    Writes stand in the order in which they renewed the mark, each after its duties were written. So whoever has read
    what was there under *write* needs these duties, and no others.
    """
    if mark[LAST_WRITE] == write:
        return frozenset()
    recent = mark.get(RECENT) or []
    places = [place for place, one in enumerate(recent) if one["write"] == write]
    if not places or recent[-1]["write"] != mark[LAST_WRITE]:
        return None
    changed = {one["duty"] for one in recent[places[-1] + 1 :]}
    return None if None in changed else frozenset(changed)


def name_period(key: DutyKey) -> str:
    """Return the period of a duty; empty for none, because an index does not tell null from what is missing."""
    return key.period or ""


def _place(key: DutyKey) -> dict[str, Any]:
    return {"$setOnInsert": {"plan": key.plan, "period": name_period(key), "obligation": key.obligation}}
