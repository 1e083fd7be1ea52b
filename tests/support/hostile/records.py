"""The hostile corpus: what anybody who may write to a topic could write to it, made by functions.

`hostile_values` belongs on any topic. `damage_event` takes a valid event and yields it with each of its values replaced
by each of `ODD_VALUES`, removed, doubled or renamed. The `VALID_...` are the valid records that all of it starts from.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

from schemas.events.facts import ADOPTED
from schemas.events.reports import EvaluationRecorded, ReportFormat
from services.reporting.sealing import report_events
from tests.support.builders import plans
from tests.support.builders.partition_log import facts_of_every_kind
from tests.support.builders.reports import sealed_reports
from tests.support.builders.wire_events import ALERTED_DUTY, AT, an_assessment_event, an_attempt_event

Json = dict[str, Any]

NAIVE = "2026-12-01T02:00:00"
FAR_INSTANTS = (
    "0001-01-01T00:00:00+07:00",  # before the calendar, once it is brought to UTC
    "9999-12-31T23:59:59-12:00",  # after it
    "0999-12-31T23:59:59Z",
    "3000-01-01T00:00:00Z",
    "1000-01-01T00:00:00+14:00",
    "2999-12-31T23:59:59.999999-12:00",
)
ODD_INSTANTS = (
    *FAR_INSTANTS, NAIVE, "1000-06-01T00:00:00Z", "2999-06-01T00:00:00Z", "2026-06-30T23:59:60Z",
    "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "2026-12-01", "20261201T020000Z", "2026-W50-1T00:00Z",
    "-2026-12-01T02:00:00Z", "2026-12-01T02:00:00+24:00",
)  # fmt: skip
ODD_TEXTS = (
    "", " ", "\x00", "a\x00b", "\x1e", "\u2028", "\ufffe", "\U0010ffff", "a|b", "|||", "../..", "=1+1", "$ne",
    "x" * 5_000, "<script>", "\r\nBcc: a@b.vn", "PT0S", "PT1S", "-P1M", "P9999Y", "P0.5M", "2026-13", "9999", "2024-Q1",
)  # fmt: skip
ODD_NUMBERS = (-1, 0, 1.5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30, 1e308, -0.0)
ODD_VALUES: tuple[Any, ...] = (None, True, [], {}, [None], [[]], {"": ""}, *ODD_NUMBERS, *ODD_TEXTS, *ODD_INSTANTS)


def nest(levels: int, *, opening: str = '{"a":', closing: str = "}") -> str:
    """Return JSON of so many levels of objects, or of arrays."""
    return opening * levels + "1" + closing * levels


def hostile_values() -> Iterator[tuple[str, bytes | None]]:
    """Yield values that no topic should hold, each with its name."""
    yield "no value", None
    plain: dict[str, bytes] = {
        "empty": b"", "blank": b" \n", "zero": b"\x00", "not JSON": b"\xff\x00 nonsense", "truncated": b"{",
        "a scalar": b"1", "null": b"null", "an array": b"[]", "an empty object": b"{}", "two values": b"{}{}",
        "NaN": b'{"type":NaN}', "a byte order mark": b"\xef\xbb\xbf{}", "UTF-16": '{"type":"x"}'.encode("utf-16"),
        "a raw control character": b'{"type":"\x01"}', "a comment": b"{}//", "1e999": b'{"type":1e999}',
        "5,000 digits": b'{"type":' + b"9" * 5_000 + b"}", "half a character": b'{"type":"\xc4"}',
        "a raw surrogate": b'{"type":"\xed\xa0\x80"}', "an escaped surrogate": b'{"type":"\\ud800"}',
        "a name of bytes": b'{"\xff":1}', "a name twice": b'{"type":"x","type":1}', "an open string": b'{"type":"',
        "only brackets": b"[" * 100_000, "closed too often": b"}" * 100_000, "only quotation marks": b'"' * 99_999,
        "only backslashes": b"\\" * 99_999,
    }  # fmt: skip
    yield from plain.items()
    for levels in (33, 973, 100_000):
        yield f"{levels} objects deep", nest(levels).encode()
        yield f"{levels} arrays deep", nest(levels, opening="[", closing="]").encode()
        yield f"{levels} deep behind brackets in names", nest(levels, opening='{"}{{\\"}":').encode()


def valid_facts() -> Iterator[tuple[str, Json]]:
    """Yield a valid fact of every kind, as the log of facts holds it."""
    for event in facts_of_every_kind():
        yield event["id"], event | {"receiptid": "0" * 32, "subject": event["data"]["agency"]}
    adoption = {
        "plan": plans.PLAN, "plan_version": 1, "registry": plans.REGISTRY, "registry_version": 1, "partition": 0,
        "horizon": "2026-01-01T00:00:00Z", "agency": "-",
    }  # fmt: skip
    yield "adoption", plans.an_event(ADOPTED, "a-1", adoption, receivedtime=AT)


def valid_reports() -> Iterator[tuple[str, Json]]:
    """Yield a sealed version, a part of one of its documents, and an evaluation."""
    sealed = sealed_reports.a_sealed_report()
    evaluation = EvaluationRecorded(
        plan="P-1", period="2026", agency="h-mot", grade="A", sentence="Đúng hạn.", evaluated_by="bank"
    )
    part = next(iter(report_events.build_parts(sealed, ReportFormat.PDF, b"%PDF")))
    for record in (
        report_events.build_seal(sealed),
        part,
        report_events.build_evaluation(evaluation, recorded_at=sealed_reports.SEALED_AT),
    ):
        event = json.loads(record.value)
        yield event["type"], event


def valid_verdicts() -> Iterator[tuple[str, Json]]:
    """Yield valid assessments: the shortest, and one with every field."""
    yield "short", an_assessment_event()
    segment = {
        "from": AT, "status": "incomplete", "due_at": AT, "effective_at": AT, "submissions": 1, "flags": ["past_due"],
        "missing": ["sections.results"], "evidence": ["s-1"],
    }  # fmt: skip
    step = {
        "kind": "urging", "step": "P7D", "at": AT, "due_at": AT, "to": "self", "every": "P7D",
        "until": "2027-12-01T00:00:00Z",
    }  # fmt: skip
    yield "whole", an_assessment_event(period="2026", opens_at=AT, timeline=[segment], steps=[step])


def valid_deliveries() -> Iterator[tuple[str, Json]]:
    """Yield valid attempts at an alert: the shortest, and one with every field."""
    yield "short", an_attempt_event()
    duty = {**ALERTED_DUTY, "period": "2026", "due_at": AT}
    yield "whole", an_attempt_event(duties=[duty, duty], reason="x", message_id="<a@b>", segments=1)


def valid_documents() -> Iterator[tuple[str, Json]]:
    """Yield a valid plan and a valid registry, each with the key of its record."""
    version = plans.a_version(
        requires={"sections": ["results"], "indicators": [{"code": "x", "min": 0}], "attachments": {"min": 1}}
    )
    plan = plans.a_plan(plans.an_obligation(version))
    yield "plan:P-1@1", json.loads(plan.model_dump_json(by_alias=True))
    yield "registry:th@1", json.loads(plans.a_registry().model_dump_json(by_alias=True))


def damage_event(event: Json) -> Iterator[tuple[str, bytes]]:
    """Yield *event* with one of its values damaged, as bytes, each with its name."""
    for place in _places(event):
        name = "/" + "/".join(map(str, place))
        yield f"{name} removed", _encode(_replace(event, place, _REMOVED))
        for odd in ODD_VALUES:
            yield f"{name}: {str(odd)[:40]!r} ({type(odd).__name__})", _encode(_replace(event, place, odd))
        deep = _encode(_replace(event, place, "@")).replace(b'"@"', nest(40).encode(), 1)
        yield f"{name} 40 levels deep", deep
        for text, written in _WRITTEN.items():
            yield f"{name}: {text}", _encode(_replace(event, place, "@")).replace(b'"@"', written, 1)


def encode_valid(event: Json) -> bytes:
    """Return a valid event as its record."""
    return _encode(event)


_REMOVED = object()
_WRITTEN = {"half a character": b'"\xc4"', "a lone surrogate": b'"\\udc00"', "1e999": b"1e999"}
DAMAGES = 2 + len(ODD_VALUES) + len(_WRITTEN)
"""How many ways `damage_event` has to damage a value."""


def _places(node: Any) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value in *node*, of the first item alone where a list has several."""
    members = node.items() if isinstance(node, dict) else list(enumerate(node))[:1] if isinstance(node, list) else ()
    for key, value in members:
        yield (key,)
        yield from ((key, *inner) for inner in _places(value))


def _replace(event: Json, place: tuple[str | int, ...], value: object) -> Json:
    changed = copy.deepcopy(event)
    owner: Any = changed
    for key in place[:-1]:
        owner = owner[key]
    if value is _REMOVED:
        del owner[place[-1]]
    else:
        owner[place[-1]] = value
    return changed


def _encode(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
