"""Mutates a request so that most of it stays valid: mostly one value of its JSON, sometimes arbitrary bytes.

Random bytes hardly ever pass the JSON parser, and the code behind the parser is what is to be fuzzed.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.support.assertions.decoding import StoredRequest

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, 10**30, 1e308, "", "\x00", "\u200b", "\ufdd0", "\U0010ffff", "đ",
    "1", "0.1", "1e9", "-0", "NaN", "1_000", "٣", "2024", "2024-Q1", "2024-13", "2024-02-30", "2024-12-05",
    "0000-01-01", "2024-12-05T15:42:10+07:00", "2024-12-05T15:42:10Z", "2024-12-05t15:42:10z",
    "2024-12-31T23:59:60Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "h-tho-xuan",
    "annual-results", "6766-KH-UBND", "none", "postmark", "application/pdf", "a"*64, "x"*1025, [], {}, [[]],
    {"":""}, {"a/b":1,"a~b":2}, [None], "\n", "~1/",
)  # fmt: skip
NAMES = (
    "data", "data_base64", "specversion", "id", "source", "type", "subject", "time", "datacontenttype",
    "dataschema", "receiptid", "a~/b", "receivedtime", "recordedtime", "plan", "obligation", "agency", "period",
    "on_behalf_of", "corrects", "content", "sections", "", "Ext", "indicators", "nil_return", "figures_as_of",
    "document", "dispatch", "sent_at", "attachments", "from", "from_", "until", "due_at", "decision",
)  # fmt: skip
TYPES = (
    "report.submitted", "report.withdrawn", "report.reassigned", "extension.granted", "exemption.granted",
    "exemption.revoked", "plan.adopted",
)  # fmt: skip

# Share of mutations that change arbitrary bytes.
AS_BYTES = 0.3

Mutate = Callable[[bytes, int], bytes]


def mutate_request(text: bytes, size_max: int, seed: int, mutate: Mutate) -> bytes:
    """Return a mutation of the request in *text*, of at most *size_max* bytes; *mutate* is libFuzzer's own."""
    chance = random.Random(seed)  # noqa: S311 - a fuzzer repeats itself by its seed
    request = StoredRequest.parse(text)
    if request is None or chance.random() < AS_BYTES:
        return mutate(text, size_max)
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        return mutate(text, size_max)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        document = _change_value(document, chance)
    try:
        body = json.dumps(document, ensure_ascii=chance.random() < AS_BYTES).encode()
    except (ValueError, RecursionError):
        return mutate(text, size_max)
    mutation = StoredRequest(mode=request.mode, headers=request.headers, body=body).text()
    return mutation if len(mutation) <= size_max else mutate(text, size_max)


def _change_value(document: Any, chance: random.Random) -> Any:
    """Return *document* with one value replaced, added, renamed or removed, at any depth."""
    if isinstance(document, dict) and document and chance.random() < 0.8:
        name = chance.choice(list(document))
        return _change_member(document, name, chance)
    if isinstance(document, list) and document and chance.random() < 0.8:
        at = chance.randrange(len(document))
        return [*document[:at], _change_value(document[at], chance), *document[at + 1 :]]
    return _mutate_value(document, chance)


def _change_member(document: dict[str, Any], name: str, chance: random.Random) -> dict[str, Any]:
    rest = {other: value for other, value in document.items() if other != name}
    match chance.randrange(8):
        case 0:
            return rest
        case 1:
            return {**rest, chance.choice(NAMES): document[name]}
        case 2:
            return {**rest, name + chance.choice("_s "): document[name]}
        case 3:
            return {**document, chance.choice(NAMES): chance.choice(VALUES)}
        case _:
            return {**rest, name: _change_value(document[name], chance)}


def _mutate_value(value: Any, chance: random.Random) -> Any:
    match chance.randrange(4):
        case 0 if isinstance(value, str) and value:
            at = chance.randrange(len(value))
            return value[:at] + chance.choice(("", "\x85", "0", "-", " ", "\u0301", "é")) + value[at + 1 :]
        case 1:
            return f"vn.dondoc.{chance.choice(TYPES)}.v1"
        case _:
            return chance.choice(VALUES)
