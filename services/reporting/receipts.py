"""From a fact on the bus to what a receipt can be asked about: which event it confirms, and which duty that is about.

It judges no fact: what rules cannot read it sets aside, and here it has no receipt.
"""

from dataclasses import dataclass

import msgspec

from schemas.events.ids import DutyKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReceipt:
    """A receipt, the event it confirms and the duty it is about."""

    receiptid: str
    receivedtime: str
    event: str
    source: str
    type: str
    duty: DutyKey


class _About(msgspec.Struct):
    plan: str
    obligation: str
    agency: str
    period: str | None = None
    to_period: str | None = None


class _Fact(msgspec.Struct):
    id: str
    source: str
    type: str
    receiptid: str
    receivedtime: str
    data: _About
    subject: str | None = None


_FACT = msgspec.json.Decoder(_Fact)


def read_receipt(record: bytes | None) -> KeptReceipt | None:
    """Return the receipt of the fact in *record*, or nothing where it carries none."""
    try:
        fact = _FACT.decode(record or b"")
    except msgspec.DecodeError:
        return None
    about = fact.data
    return KeptReceipt(
        receiptid=fact.receiptid,
        receivedtime=fact.receivedtime,
        event=fact.id,
        source=fact.source,
        type=fact.type,
        duty=DutyKey(
            plan=about.plan,
            # The subject is the agency whose duty it is: aliases resolved, the predecessor where filed for one.
            agency=fact.subject or about.agency,
            obligation=about.obligation,
            period=about.period or about.to_period,
        ),
    )
