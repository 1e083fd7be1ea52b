"""SMS over SMPP: splits a text into parts, submits them, and combines the centre's answers into one result.

If a centre accepts one part of a message and not another, the outcome is unknown and the message is never sent again,
so that nobody reads a part twice.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.channels.smpp_pdu import DeliveredSms, SmsPart
from services.notifier.channels.smpp_session import (
    NOT_SENT,
    Bind,
    SessionBrokenError,
    SmppSession,
    SmsCentre,
    SubmitResult,
)
from services.notifier.core.dispatch import receipts, refusals
from services.notifier.core.dispatch.receipts import RECEIPTED_MESSAGE_ID, DeliveryReceipt, MessageIds
from services.notifier.core.dispatch.refusals import BROKEN_CONNECTION
from services.notifier.core.rendering import sms_segments
from services.notifier.errors import NotifierError

REBIND_SECONDS = 5.0
_IS_RECEIPT = 0x04  # esm_class: the content is a delivery receipt

# Stores a receipt, by the ids under which it may name the message. If it raises, the centre sends the receipt again.
OnReceipt = Callable[[DeliveryReceipt], Coroutine[None, None, None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppOptions:
    """How a centre likes it: one session or two, how it writes ids, and whether it joins long texts itself.

    `id_prefix` is put before its ids, where another centre may give out the same ones.
    """

    binds: tuple[Bind, ...] = ("transceiver",)
    message_ids: MessageIds = MessageIds.AS_WRITTEN
    long_messages: Literal["parts", "payload"] = "parts"
    id_prefix: str = ""


class SmsChannel:
    """Sends SMS through one centre, which it keeps a session with from `start` to `close`."""

    def __init__(
        self,
        centre: SmsCentre,
        options: SmppOptions,
        *,
        on_receipt: OnReceipt,
        on_unreadable: Callable[[], None],
    ) -> None:
        self._centre = centre
        self._options = options
        self._on_receipt = on_receipt
        self._on_unreadable = on_unreadable
        self._sessions: dict[Bind, SmppSession] = {}
        self._opening = asyncio.Lock()
        self._keeping: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Bind at once, to take the receipts that the centre has kept, and whenever a session has ended."""
        self._keeping = [asyncio.create_task(self._keep_bound(bind)) for bind in self._options.binds]

    async def send(self, message: OutgoingMessage) -> SendResult:
        try:
            session = await self._open_session(self._options.binds[0])
        except SessionBrokenError as broken:
            if broken.status is None:
                return SendResult.from_refusal(BROKEN_CONNECTION, "smpp_connection")
            return SendResult.from_refusal(refusals.read_smpp_bind(broken.status), f"smpp_{broken.status:#x}")
        parts = build_parts(message, is_whole=self._options.long_messages == "payload")
        results = await asyncio.gather(*map(session.submit, parts))
        result = combine_results(results, self._options.message_ids)
        prefix = self._options.id_prefix
        return replace(result, provider_ids=tuple(f"{prefix}{one}" for one in result.provider_ids))

    async def close(self) -> None:
        """Unbind and disconnect."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        for session in self._sessions.values():
            await session.close()

    async def _keep_bound(self, bind: Bind) -> None:
        while True:
            try:
                session = await self._open_session(bind)
            except SessionBrokenError as cause:
                details = {"action": "smpp_unbound", "reason": str(cause)}
                log.warning("the SMS centre cannot be reached", extra=details)
                await asyncio.sleep(REBIND_SECONDS)
            else:
                await session.ended.wait()

    async def _open_session(self, bind: Bind) -> SmppSession:
        """Return the session of *bind*, a new one if the last one has ended."""
        async with self._opening:
            known = self._sessions.get(bind)
            if known is not None and known.is_bound:
                return known
            session = SmppSession(self._centre, bind, self._take_delivered)
            await session.open()
            self._sessions[bind] = session
            return session

    async def _take_delivered(self, delivered: DeliveredSms) -> bool:
        receipt = receipts.parse_receipt(delivered.text, delivered.parameters, self._options.message_ids)
        if receipt is None:
            if delivered.esm_class & _IS_RECEIPT or RECEIPTED_MESSAGE_ID in delivered.parameters:
                self._on_unreadable()
                details = {"action": "receipt_unreadable", "bytes": len(delivered.text)}
                log.warning("a delivery receipt is not understood", extra=details)
            return True  # or a text from a handset; nobody reads it
        try:
            prefix = self._options.id_prefix
            await self._on_receipt(replace(receipt, ids=tuple(f"{prefix}{one}" for one in receipt.ids)))
        except NotifierError:
            return False
        return True


def build_parts(message: OutgoingMessage, *, is_whole: bool = False) -> tuple[SmsPart, ...]:
    """Return *message* as parts, or as one if *is_whole*. Their common reference is the same on a retry."""
    body = message.content.body
    in_gsm7 = sms_segments.measure(body).is_gsm7
    texts = [body] if is_whole else sms_segments.split(body)
    reference = int(message.id[:2], 16)
    # Concatenation header of 3GPP TS 23.040, section 9.2.3.24.1: length 5, element 0 of length 3, reference, parts,
    # number. Handsets join parts of one sender with the same reference.
    headers = [bytes((5, 0, 3, reference, len(texts), number)) for number in range(1, len(texts) + 1)]
    return tuple(
        SmsPart(
            address=message.address,
            content=(header if len(texts) > 1 else b"") + sms_segments.encode(text, in_gsm7=in_gsm7),
            is_ucs2=not in_gsm7,
            has_header=len(texts) > 1,
        )
        for header, text in zip(headers, texts, strict=True)
    )


def combine_results(results: Sequence[SubmitResult | None], ids: MessageIds = MessageIds.AS_WRITTEN) -> SendResult:
    """Return the result of a message from those of its parts; None is a part that was not answered."""
    if all(one is not None and one.status == 0 for one in results):
        given = [one.provider_id for one in results if one]
        # A part without an id can never be confirmed, and so the message cannot either: the receipts of the other
        # parts alone would claim that all of it arrived.
        names = tuple(map(ids.read_answered, given)) if all(given) else ()
        said = ", ".join(given) if all(given) else None
        return SendResult(outcome=AttemptOutcome.ACCEPTED, provider_ids=names, answer=said)
    if any(one is None or one.status == 0 for one in results):
        return SendResult(outcome=AttemptOutcome.UNKNOWN, reason="smpp_unanswered")
    status = max(one.status for one in results if one)
    if status == NOT_SENT:
        return SendResult.from_refusal(BROKEN_CONNECTION, "smpp_connection")
    return SendResult.from_refusal(refusals.read_smpp_status(status), f"smpp_{status:#x}")
