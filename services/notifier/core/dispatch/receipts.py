"""Delivery receipts of SMS centres, in the dialects that are met: what a receipt says, and which message it is about.

SMPP 3.4, appendix B, gives the text of a receipt only as an example, so centres differ in case, order and words, and
some put everything into optional parameters (section 5.3.2). Example: `id:0012 sub:001 ... stat:DELIVRD err:000`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from schemas.events.deliveries import AttemptOutcome

RECEIPTED_MESSAGE_ID, MESSAGE_STATE, NETWORK_ERROR_CODE = 0x001E, 0x0427, 0x0423

_FIELD = re.compile(r"\b(id|stat|status|err)\s*[:=]\s*([^\s,;]+)", re.IGNORECASE)
_ERROR = re.compile(r"\w{1,10}")
_BY_WORD = {
    "DELIV": AttemptOutcome.CONFIRMED,
    "UNDEL": AttemptOutcome.BOUNCED,
    "REJEC": AttemptOutcome.BOUNCED,
    "DELET": AttemptOutcome.BOUNCED,
    "EXPIR": AttemptOutcome.EXPIRED,
    # The message is still on its way, or the centre does not know: nothing to record.
    "ENROU": None,
    "ACCEP": None,
    "SCHED": None,
    "UNKNO": None,
}
_UNDELIVERABLE = "UNDEL"
_LETTERS_OF_WORD = 5  # DELIVRD, DELIVERED and DELIVERD begin alike
_WORD_BY_NUMBER = {1: "ENROU", 2: "DELIV", 3: "EXPIR", 4: "DELET", 5: "UNDEL", 6: "ACCEP", 7: "UNKNO", 8: "REJEC"}


class MessageIds(StrEnum):
    """How a centre writes the ids of messages: in its answers, and in its receipts."""

    AS_WRITTEN = "as-written"
    HEX_TO_DECIMAL = "hex-to-decimal"
    DECIMAL_TO_HEX = "decimal-to-hex"

    def read_answered(self, written: str) -> str:
        """Return the id in a `submit_sm_resp` as it is kept."""
        base = {MessageIds.AS_WRITTEN: 0, MessageIds.HEX_TO_DECIMAL: 16, MessageIds.DECIMAL_TO_HEX: 10}[self]
        return _normalise(written, base)

    def read_receipted(self, written: str) -> str:
        """Return the id in a receipt as it is kept."""
        base = {MessageIds.AS_WRITTEN: 0, MessageIds.HEX_TO_DECIMAL: 10, MessageIds.DECIMAL_TO_HEX: 16}[self]
        return _normalise(written, base)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """What a receipt says: the ids by which it may name the message, and the outcome (None: not final).

    `is_hard`: the message cannot be delivered to this number, so that it is suspended. A message that was rejected or
    deleted on its way says nothing of the number.
    """

    ids: tuple[str, ...]
    outcome: AttemptOutcome | None
    reason: str
    is_hard: bool = False


def parse_receipt(text: bytes, parameters: Mapping[int, bytes], ids: MessageIds) -> DeliveryReceipt | None:
    """Return what a `deliver_sm` says of a message, or None if it is no receipt that can be understood."""
    fields = {name.lower(): value for name, value in _FIELD.findall(text.decode("latin-1"))}
    written = [
        name
        for name in (parameters.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1"), fields.get("id"))
        if name
    ]
    word = fields.get("stat") or fields.get("status") or ""
    state = parameters.get(MESSAGE_STATE)
    if state:
        word = _WORD_BY_NUMBER.get(state[0], "")
    word = word.upper()[:_LETTERS_OF_WORD]
    if not written or word not in _BY_WORD:
        return None
    error = fields.get("err", "")
    # As written too: an older ledger has kept ids like that.
    names = dict.fromkeys([*(ids.read_receipted(name) for name in written), *written])
    return DeliveryReceipt(
        ids=tuple(names),
        outcome=_BY_WORD[word],
        reason=f"receipt_{error}" if _ERROR.fullmatch(error) and error.strip("0") else "receipt",
        is_hard=word == _UNDELIVERABLE,
    )


def _normalise(written: str, base: int) -> str:
    """Return *written* without leading zeros, as a decimal number if it is one in *base* (0: as it is)."""
    if base:
        try:
            return str(int(written, base))
        except ValueError:
            return written
    return written.lstrip("0") or written
