"""How the facts known of a duty are written on `dondoc.duties.v1`, and read back.

A fact has one home: the duty of its own period. Those about no one period (exemptions and their revocations) are at
home under the docket's key with an empty period. A docket is the union of its homes.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey
from services.rules.core.facts import (
    Exemption,
    Extension,
    Fact,
    Reassignment,
    Revocation,
    Submission,
    Withdrawal,
)


class _Known(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The facts at home in one record, by kind."""

    submissions: tuple[Submission, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    reassignments: tuple[Reassignment, ...] = ()
    extensions: tuple[Extension, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    revocations: tuple[Revocation, ...] = ()


_FIELDS: Mapping[type[Fact], str] = {
    Submission: "submissions",
    Withdrawal: "withdrawals",
    Reassignment: "reassignments",
    Extension: "extensions",
    Exemption: "exemptions",
    Revocation: "revocations",
}
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Known)


def home(fact: Fact) -> str | None:
    """Return the period under which *fact* is kept in its docket."""
    match fact:
        case Submission() | Withdrawal() | Extension():
            return fact.period
        case Reassignment():
            return fact.from_period
        case Exemption() | Revocation():
            return None


def written(facts: Iterable[Fact]) -> bytes:
    """Write the facts of one home."""
    kinds: dict[str, Any] = {}
    for fact in facts:
        kinds.setdefault(_FIELDS[type(fact)], []).append(fact)
    return _ENCODER.encode(_Known(**kinds))


def read(value: bytes) -> tuple[Fact, ...]:
    """Return the facts that `written` wrote."""
    known = _DECODER.decode(value)
    return (
        *known.submissions,
        *known.withdrawals,
        *known.reassignments,
        *known.extensions,
        *known.exemptions,
        *known.revocations,
    )


def adoption_key(plan: str) -> DutyKey:
    """Return the key under which a partition keeps its last adoption of *plan*: that of no agency and no obligation."""
    return DutyKey(plan=plan, agency="", obligation="", period=None)


def is_adoption(key: DutyKey) -> bool:
    """Whether the record under *key* is an adoption."""
    return not key.agency and not key.obligation


def written_adoption(adopted: PlanAdopted) -> bytes:
    """Write the last adoption of a plan."""
    return adopted.model_dump_json().encode()


def read_adoption(value: bytes) -> PlanAdopted:
    """Return the adoption that `written_adoption` wrote."""
    return PlanAdopted.model_validate_json(value)
