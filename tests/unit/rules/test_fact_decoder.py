"""The decoder tolerates what rules does not need, and names the place of what it cannot read."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from schemas.events.facts import MODEL_OF
from services.rules import fact_decoder
from services.rules.core.facts import (
    Exemption,
    Extension,
    Reassignment,
    ReportAcceptance,
    ReportReturn,
    Revocation,
    Submission,
    Withdrawal,
)
from services.runtime.decoding import UnreadableRecordError
from tests.support.builders.plans import (
    Json,
    a_reassignment,
    a_return,
    a_revocation,
    a_submission,
    a_withdrawal,
    an_acceptance,
    an_exemption,
    an_extension,
)

STAMP = "2024-12-01T08:00:00.000+07:00"
STAMPED = datetime(2024, 12, 1, 1, tzinfo=UTC)


def record(event: Json, **attributes: object) -> bytes:
    """Encode the event as the log holds it."""
    return msgspec.json.encode(event | {"receivedtime": STAMP} | attributes)


def replace_in_report(old: str, new: str) -> bytes:
    """Return a recorded submission with one passage replaced."""
    text = json.dumps(json.loads(record(a_submission())))
    assert text.count(old) == 1, f"the edit wants one {old!r}"
    return text.replace(old, new).encode()


def test_every_type_of_fact_is_decoded() -> None:
    """Each CloudEvents type of a fact is decoded as its own class of the core."""
    events = {
        Submission: a_submission(),
        Withdrawal: a_withdrawal("w-1", "s-1"),
        Reassignment: a_reassignment("m-1", "s-1", to="2023"),
        ReportReturn: a_return("b-1", "s-1", respond_by=STAMP),
        ReportAcceptance: an_acceptance("a-1", "s-1"),
        Extension: an_extension("x-1", STAMP),
        Exemption: an_exemption("e-1", STAMP, "9999-12-31T23:59:59Z"),
        Revocation: a_revocation("r-1", "e-1", None),
    }
    assert {one["type"] for one in events.values()} == set(MODEL_OF) == fact_decoder.FACT_TYPES
    for kind, event in events.items():
        assert isinstance(fact_decoder.decode_fact(record(event)), kind)


def test_instants_are_decoded_in_utc() -> None:
    """Instants of any offset are decoded in UTC, and a decision keeps its local day."""
    fact = fact_decoder.decode_fact(record(an_extension("x-1", "2024-12-31t00:00:00+07:00")))
    assert isinstance(fact, Extension)
    assert (fact.received_at, fact.received_at.tzinfo) == (STAMPED, UTC)
    assert (fact.due_at, fact.decided_on) == (datetime(2024, 12, 30, 17, tzinfo=UTC), date(2024, 11, 20))


def test_the_log_s_time_of_recording_comes_first() -> None:
    """A fact counts as recorded at the log's time, else at its `recordedtime`, else at its `receivedtime`."""
    log_time = datetime(2024, 12, 3, tzinfo=UTC)
    stated = record(a_submission(), recordedtime="2024-12-02T00:00:00Z")
    times = [
        fact_decoder.decode_fact(stated, recorded_at=log_time).recorded_at,
        fact_decoder.decode_fact(stated).recorded_at,
        fact_decoder.decode_fact(record(a_submission())).recorded_at,
    ]
    assert times == [log_time, datetime(2024, 12, 2, tzinfo=UTC), STAMPED]


def test_a_report_for_a_predecessor_belongs_to_the_predecessor_s_docket() -> None:
    """A report on behalf of a predecessor has the predecessor as its agency, and its sender in `filed_by`."""
    fact = fact_decoder.decode_fact(record(a_submission(data={"agency": "h-hai", "on_behalf_of": "h-mot"})))
    assert isinstance(fact, Submission)
    assert (fact.agency, fact.filed_by) == ("h-mot", "h-hai")


def test_what_rules_does_not_need_may_be_missing_or_unknown() -> None:
    """A submission with the fewest possible fields and an unknown one is decoded."""
    data = {"plan": "P-1", "obligation": "results", "agency": "h-mot", "colour": "red"}
    fact = fact_decoder.decode_fact(record({"id": "s-1", "source": "q", "type": a_submission()["type"], "data": data}))
    assert isinstance(fact, Submission)
    assert (fact.period, fact.report.number, fact.report.indicators) == (None, "", {})


def test_of_a_name_that_stands_twice_the_last_value_counts() -> None:
    """Of a JSON name that occurs twice the last value counts, as at intake, even if the first is unreadable."""
    twice = replace_in_report('"issued_on":', '"issued_on": "no day", "issued_on":')
    assert fact_decoder.decode_fact(twice) == fact_decoder.decode_fact(record(a_submission()))
    with pytest.raises(UnreadableRecordError, match="issued_on"):
        fact_decoder.decode_fact(
            replace_in_report('"issued_on":', '"issued_on": "2024-12-01", "issued_on": "no day", "x":')
        )


def test_figures_are_numbers_or_decimal_strings() -> None:
    """Figures are numbers or decimal strings, of which every digit is kept; a null figure is left out."""
    long = "0.1000000000000000000000000000000000000001"
    content = {"indicators": {"a": 1, "b": "2.5", "c": None, "d": "1e29", "e": long}, "sections": {"x": None}}
    fact = fact_decoder.decode_fact(record(a_submission(data={"content": content})))
    assert isinstance(fact, Submission)
    figures = {"a": Decimal(1), "b": Decimal("2.5"), "d": Decimal("1e29"), "e": Decimal(long)}
    assert fact.report.indicators == figures
    assert fact.report.sections == {"x": ""}
    as_number = fact_decoder.decode_fact(replace_in_report('"indicators": {}', f'"indicators": {{"e": {long}}}'))
    assert isinstance(as_number, Submission)
    assert as_number.report.indicators == {"e": Decimal(long)}


def test_a_figure_that_is_nothing_to_a_double_is_readable() -> None:
    """Intake takes a number with an exponent that no decimal can hold as 0, and so does rules."""
    fact = fact_decoder.decode_fact(
        replace_in_report('"indicators": {}', '"indicators": {"x": 1e-99999999999999999999}')
    )
    assert isinstance(fact, Submission)
    assert fact.report.indicators == {"x": 0}


@pytest.mark.parametrize(
    "raw, pointer",
    [
        (b"", ""),
        (b"nonsense", ""),
        (b"[1]", ""),
        (b"{}", ""),
        (b'{"id": 1, "source": "q", "type": "t", "data": {}}', "/id"),
        (b"[" * 100_000, ""),
        (b'{"id":"a","source":"b","type":"c","data":' + b"[" * 100_000, ""),
        (record(a_submission(), type="vn.dondoc.other.v1"), "/type"),
        (record(a_submission(), receivedtime=None), "/receivedtime"),
        (record(a_submission(), receivedtime="2024-12-01T08:00:00"), "/receivedtime"),
        (record(a_submission(), receivedtime="yesterday"), "/receivedtime"),
        (record(a_submission(), recordedtime="2024-12-01"), "/recordedtime"),
        (replace_in_report('"period": "2024"', '"period": 2024'), "/data/period"),
        (
            replace_in_report('"sections": {"results"', '"sections": [{"results"').replace(b'm"}, "ind', b'm"}], "ind'),
            "/data/content/sections",
        ),
        (replace_in_report('"issued_on": "2024-12-01"', '"issued_on": "2024-02-30"'), "/data/document/issued_on"),
        (replace_in_report('"sent_at": null', '"sent_at": "9:00"'), "/data/dispatch/sent_at"),
        (replace_in_report('"indicators": {}', '"indicators": {"x": "9.984,2"}'), "/data/content/indicators/x"),
        (replace_in_report('"indicators": {}', '"indicators": {"x": "NaN"}'), "/data/content/indicators/x"),
        (replace_in_report('"indicators": {}', '"indicators": {"x": "1e400"}'), "/data/content/indicators/x"),
        (replace_in_report('"indicators": {}', '"indicators": {"x": true}'), "/data/content/indicators"),
        (replace_in_report('"attachments": []', '"attachments": [{}, 3]'), "/data/attachments"),
        (record(an_extension("x-1", "2024-12-31")), "/data/due_at"),
        (record(an_exemption("e-1", STAMP, "never")), "/data/until"),
        (record(a_revocation("r-1", "e-1", "soon")), "/data/due_at"),
        (record(a_withdrawal("w-1", "s-1") | {"data": [1]}), "/data"),
        (record(a_withdrawal("w-1", "s-1") | {"data": {}}), "/data"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_pointer(raw: bytes, pointer: str) -> None:
    """`UnreadableRecordError` has the JSON pointer of the place, with which its message begins."""
    with pytest.raises(UnreadableRecordError) as refusal:
        fact_decoder.decode_fact(raw)
    assert refusal.value.pointer.startswith(pointer)
    assert str(refusal.value).startswith(pointer or "/")
