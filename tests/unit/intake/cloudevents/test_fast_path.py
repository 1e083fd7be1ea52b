"""The fast path accepts plain reports, and never an event that the full path would refuse or record otherwise."""

from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events.facts import SUBMITTED, ReportSubmitted
from services.intake.cloudevents import fast_path, json_decoding, schema_errors
from services.intake.core import cloud_event
from services.intake.core.canonical_json import encode_event
from services.intake.core.fact_record import identity_and_digest
from tests.support.assertions.decoding import RequestChecker
from tests.support.builders.plans import Json, a_submission, a_withdrawal

ATTACHMENT: Json = {
    "name": "phu-luc.xlsx",
    "media_type": "application/pdf",
    "size": 1,
    "sha256": "a" * 64,
    "url": None,
}
FULL: Json = {
    "corrects": "s-0",
    "on_behalf_of": "h-ba",
    "dispatch": {"sent_at": "2024-12-01T08:00:00+07:00", "proof": "postmark", "reference": "RB1"},
    "content": {
        "nil_return": False,
        "figures_as_of": "2024-11-30",
        "sections": {"results": "Đã làm", "plans": ""},
        "indicators": {"b": "9984.2", "a": 5, "c": 1.5},
    },
    "attachments": [ATTACHMENT],
}
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        1.0,
        -0.0,
        2.0**53,
        1e20,
        10**20,
        10**30,
        10**31,
        -(10**31),
        1e300,
        [],
        {},
        [None],
        {"x": 1},
    ),
    *("../x", "a\u202eb", "javascript:alert(1)", "https://a.vn/x", "urn:ab:x", "x" * 300, 2**40, 2**41, 2**70),
    *("a b", "urn:x", "%zz", "http://[", "sở", "\u00a0", "a\U0001fffe", "\U0010ffff", "1a:b"),
    *("", " ", "\x1c", "a\x00b", "a\x7fb", "\ufdd0", "x" * 201, "x" * 1025, "1.0", "-", "đã"),
    *("2024", "2024-Q3", "2024-13", "2024-02-30", "2024-12-01", "0999-01-01", "3000-01-01", "2024-12-01 "),
    *("2024-12-01T08:00:00+07:00", "2024-12-01T08:00:00", "2024-12-01t08:00:00z", "2024-12-01T25:00:00Z"),
    # Digits of another script, which are digits to `str.isdigit` and to `\d`.
    *("20\uff124-12-01T08:00:00+07:00", "2024-12-01T08:0\u0660:00+07:00", "2024-12-0\uff11", "\uff12024", "1\u0662"),
    *("2024-12-01T08:00:00+07:99", "2024-12-01T08:00:00+24:00", "2024-12-01T08:00:00+23:59"),
    *("9984.2", "1.", "1e999", "1e5", "+.5", "1,5", "nan", "9" * 41, "none", "mail-gateway", "A" * 64, "a" * 63),
    *("application/json", "Application/JSON", "text/plain", "vn.dondoc.report.withdrawn.v1", "a/b", "a/b;c"),
)
CHECKER = RequestChecker()
KEYS = ("extra", "receivedtime", "data_base64", "period", "url", "subject")


def encode(event: object) -> bytes:
    """Return *event* as an upstream system sends it."""
    return msgspec.json.encode(event)


def decode(text: bytes) -> fast_path.DecodedReport | None:
    """Return the report that the fast path decodes, if its names are valid too."""
    report = fast_path.decode_report(text)
    return report if report and fast_path.are_valid_names(*report) else None


def canonical(report: fast_path.DecodedReport) -> bytes:
    """Return a report in canonical form, as the fast path encodes it."""
    envelope, data = report
    return fast_path.encode_event(fast_path.encode_attributes(envelope, envelope.subject), data)


def paths_of(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a JSON document, except the document itself."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [inner_path for key, value in inner for inner_path in ((*path, key), *paths_of(value, (*path, key)))]


@st.composite
def nearly_plain_reports(draw: st.DrawFn) -> Json:
    """Draw a plain report in which up to three values are replaced, missing or added."""
    event: Json = msgspec.json.decode(encode(a_submission(data=draw(st.sampled_from([{}, FULL])))))
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from(paths_of(event)))
        holder = event
        for step in path:
            holder = holder[step]
        match draw(st.sampled_from(["other", "gone", "more"])):
            case "other":
                holder[last] = deepcopy(draw(st.sampled_from(VALUES)))
            case "gone":
                del holder[last]
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS))] = deepcopy(draw(st.sampled_from(VALUES)))
    return event


@given(nearly_plain_reports())
def test_the_full_path_decodes_alike_what_the_fast_path_decodes(event: Json) -> None:
    """A report that the fast path decodes has no errors, and the same canonical form on both paths."""
    text = encode(event)
    found = decode(text)
    if found is None:
        return
    attributes = {name: value for name, value in event.items() if name not in {"data", "datacontenttype"}}
    assert list(cloud_event.attribute_errors(attributes)) == []
    assert event.get("datacontenttype", "application/json") == "application/json"
    assert isinstance(schema_errors.parse_fact(SUBMITTED, event["data"]), ReportSubmitted)
    assert msgspec.json.decode(found[0].data) == event["data"]
    data = json_decoding.decode_data(encode(event["data"]), json_decoding.BODY_LABEL)
    assert canonical(found) == encode_event(attributes, data.value)


@given(nearly_plain_reports())
def test_both_paths_give_the_same_record_and_receipt(event: Json) -> None:
    """An event has the same record and receipt, or the same refusal, with the fast path and without it."""
    names = {"plan": "6766-KH-UBND", "obligation": "annual-results", "agency": "h-dong-son"}
    data = event.get("data")
    if isinstance(data, dict):
        event = event | {"subject": names["agency"], "data": data | names}
    CHECKER.check(b"structured\n" + encode(event))
    CHECKER.check(b"batch\n" + encode([event, a_withdrawal("w-1", "s-1")]))


@pytest.mark.parametrize("proof", ["none", "postmark", "exchange-log", "mail-gateway"])
def test_both_paths_mark_a_proof_that_the_key_may_not_state(proof: str) -> None:
    """A plain report, which the fast path takes, has the record of the full path, with the mark and without it."""
    names = {"plan": "6766-KH-UBND", "obligation": "annual-results", "agency": "h-dong-son"}
    event = a_submission(subject=names["agency"], data={**names, "dispatch": {**FULL["dispatch"], "proof": proof}})
    assert decode(encode(event)) is not None
    (accepted,) = CHECKER.check(b"structured\n" + encode(event))
    assert accepted.is_dispatch_unproven == (proof in {"exchange-log", "mail-gateway"})


def test_a_figure_with_an_exponent_hides_no_doubled_name() -> None:
    """Six figures that are a byte shorter than in canonical form make up for a doubled member of six bytes."""
    names = {"plan": "6766-KH-UBND", "obligation": "annual-results", "agency": "h-dong-son"}
    content = FULL["content"] | {"indicators": {"a": 1, **{f"f{number}": 0.001 for number in range(6)}}}
    once = encode(a_submission(subject=names["agency"], data={**names, "content": content}))
    twice = once.replace(b"0.001", b"1e-3").replace(b'"a":1,', b'"a":1,"a":1,')
    assert len(twice) == len(once)
    assert decode(once) is not None
    assert CHECKER.check(b"structured\n" + twice) == ()


@pytest.mark.parametrize("data", [{}, FULL, FULL | {"corrects": None, "on_behalf_of": None}], ids=str)
def test_a_plain_report_is_decoded(data: Json) -> None:
    """The fast path decodes reports with all attributes, and with null for optional ones."""
    assert decode(encode(a_submission(data=data))) is not None


@pytest.mark.parametrize("missing", ["subject", "time", "datacontenttype"])
def test_an_attribute_that_may_be_missing_may_be_missing(missing: str) -> None:
    """The fast path decodes events without the optional attributes."""
    event = a_submission()
    del event[missing]
    assert decode(encode(event)) is not None


@pytest.mark.parametrize(
    "event",
    [
        a_withdrawal("w-1", "s-1"),
        a_submission(traceparent="00-x"),
        a_submission(data={"note": "x"}),
        a_submission(data={"period": "2024-13"}),
        a_submission(source="a b"),
        a_submission(data=FULL | {"content": FULL["content"] | {"indicators": {"a": 1.0}}}),
        a_submission(time="20\uff124-12-01T08:00:00+07:00"),
        a_submission(data=FULL | {"dispatch": FULL["dispatch"] | {"sent_at": "2024-12-01T08:0\u0660:00+07:00"}}),
    ],
    ids=[
        *("another type", "an extension", "an attribute of our own", "a fault", "no source", "a whole number"),
        *("a time in full-width digits", "an instant of dispatch in Arabic digits"),
    ],
)
def test_any_other_event_takes_the_full_path(event: Json) -> None:
    """The fast path declines whatever is not a plain report without errors."""
    assert decode(encode(event)) is None


def test_a_receipt_id_of_the_fast_path_never_changes() -> None:
    """The receipt id of a known report is a constant, so that a retry across an upgrade is not a conflict."""
    report = fast_path.decode_report(encode(a_submission(data=FULL)))
    assert report is not None
    digest = identity_and_digest(report[0].source, report[0].id, canonical(report))[1]
    assert digest.hex() == "4cca7e685ef7f8f8125a3e3866df90d7"


def test_text_that_is_no_json_takes_the_full_path() -> None:
    """The fast path declines text that is not JSON; the full path explains the error."""
    assert fast_path.decode_report(b"{") is None
    assert fast_path.decode_report(b"[" * 100_000) is None
