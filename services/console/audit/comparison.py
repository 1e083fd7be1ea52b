"""Compares the duties that were rebuilt with those that reporting answers, field by field. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from services.console.support import json_diff
from services.console.support.json_diff import ABSENT

KEY_FIELDS = ("agency", "obligation", "period")

Duty = Mapping[str, Any]
Difference = dict[str, Any]


def compare_duties(
    rebuilt: Iterable[Duty], live: Iterable[Duty], *, ignored: Collection[str] = ()
) -> Iterator[Difference]:
    """Yield each field in which the duties of the two sides differ, duty by duty in the order of their keys.

    A duty that one side lacks is one difference, with the status of the other side. Fields in *ignored* are not
    compared.
    """
    rebuilt_by_key, live_by_key = _by_key(rebuilt), _by_key(live)
    for key in sorted({*rebuilt_by_key, *live_by_key}):
        name = dict(zip(KEY_FIELDS, (part or None for part in key), strict=True))
        ours, theirs = rebuilt_by_key.get(key), live_by_key.get(key)
        if ours is None or theirs is None:
            yield {**name, "field": "/", "rebuilt": _status_of(ours), "live": _status_of(theirs)}
        else:
            for difference in json_diff.find_differences(_without(ours, ignored), _without(theirs, ignored)):
                yield {**name, **difference}


def _without(duty: Duty, ignored: Collection[str]) -> dict[str, Any]:
    return {field: value for field, value in duty.items() if field not in ignored}


def _by_key(duties: Iterable[Duty]) -> dict[tuple[str, ...], Duty]:
    return {tuple(duty[field] or "" for field in KEY_FIELDS): duty for duty in duties}


def _status_of(duty: Duty | None) -> str:
    return ABSENT if duty is None else str(duty["status"])
