"""SMS over SMPP: splits a text into parts, submits them, and combines the centre's answers into one result.

The session lives in a thread of its own, which submits queued messages and takes delivery receipts in between. If a
centre accepts one part of a message and not another, the outcome is unknown and the message is never sent again, so
that nobody reads a part twice.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message_channel import OutgoingMessage, SendResult
from services.notifier.channels.smpp_session import (
    NOT_SENT,
    SessionBrokenError,
    SmppSession,
    SmsCentre,
    SmsPart,
    SubmitResult,
)
from services.notifier.core.dispatch import refusals
from services.notifier.core.dispatch.refusals import BROKEN_CONNECTION
from services.notifier.core.rendering import sms_segments
from services.notifier.errors import NotifierError

WINDOW = 32  # messages submitted together; centres commonly allow tens of unanswered submissions
LISTEN_SECONDS = 0.05  # how long a receipt waits at most, or a message that is queued while the thread listens
REBIND_SECONDS = 5.0
RECEIPT_SECONDS = 5.0  # for the ledger to store a receipt; then the centre is asked to send it again
_STATES = {
    "DELIVRD": AttemptOutcome.CONFIRMED,
    "UNDELIV": AttemptOutcome.BOUNCED,
    "REJECTD": AttemptOutcome.BOUNCED,
    "DELETED": AttemptOutcome.BOUNCED,
    "EXPIRED": AttemptOutcome.EXPIRED,
}

# Stores what became of the part of that provider id. If it raises, the centre sends it again.
OnReceipt = Callable[[str, AttemptOutcome], Coroutine[None, None, None]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _QueuedSms:
    parts: tuple[SmsPart, ...]
    on_result: Callable[[SendResult], None]


@dataclass(slots=True, kw_only=True)
class _SmppThreadState:
    """What the session's thread works on. Other threads touch only the queue; None in it ends the thread."""

    session: SmppSession
    queued: "queue.SimpleQueue[_QueuedSms | None]" = field(default_factory=queue.SimpleQueue)
    has_tried_to_bind: bool = False


class SmsChannel:
    """Sends SMS through one session with one centre. It must be created within the running event loop."""

    def __init__(self, centre: SmsCentre, on_receipt: OnReceipt) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_receipt = on_receipt
        self._state = _SmppThreadState(session=SmppSession(centre, self._store_receipt))
        self._thread = threading.Thread(target=_run_session, args=(self._state,), name="smpp", daemon=True)

    def start(self) -> None:
        """Start the thread, which binds at once, to take the receipts that the centre has kept."""
        self._thread.start()

    async def send(self, message: OutgoingMessage) -> SendResult:
        future: asyncio.Future[SendResult] = self._loop.create_future()

        def on_result(result: SendResult) -> None:
            self._loop.call_soon_threadsafe(_resolve, future, result)

        self._state.queued.put(_QueuedSms(parts=build_parts(message), on_result=on_result))
        return await future

    async def close(self) -> None:
        """Send what is queued, unbind and end the thread."""
        self._state.queued.put(None)
        await asyncio.to_thread(self._thread.join)

    def _store_receipt(self, provider_id: str, state: str) -> bool:
        """Have the event loop store a receipt, called from the session's thread; return whether it was stored."""
        if state not in _STATES:
            return True
        storing = asyncio.run_coroutine_threadsafe(self._on_receipt(provider_id, _STATES[state]), self._loop)
        try:
            storing.result(RECEIPT_SECONDS)
        except (NotifierError, TimeoutError):
            return False
        return True


def _resolve(future: "asyncio.Future[SendResult]", result: SendResult) -> None:
    if not future.done():  # the sender may have timed out and cancelled it
        future.set_result(result)


def build_parts(message: OutgoingMessage) -> tuple[SmsPart, ...]:
    """Return *message* as parts. Their common reference derives from the delivery id and is the same on a retry."""
    body = message.content.body
    texts, in_gsm7 = sms_segments.split(body), sms_segments.measure(body).is_gsm7
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


def combine_results(results: Sequence[SubmitResult | None]) -> SendResult:
    """Return the result of a message from those of its parts; None is a part that was not answered."""
    if all(one is not None and one.status == 0 for one in results):
        return SendResult(
            outcome=AttemptOutcome.ACCEPTED, provider_ids=tuple(one.provider_id for one in results if one)
        )
    if any(one is None or one.status == 0 for one in results):
        return SendResult(outcome=AttemptOutcome.UNKNOWN, reason="smpp_unanswered")
    status = max(one.status for one in results if one)
    refusal = BROKEN_CONNECTION if status == NOT_SENT else refusals.read_smpp_status(status)
    return SendResult.from_refusal(refusal, f"smpp_{status:#x}" if status >= 0 else "smpp_connection")


def _run_session(state: _SmppThreadState) -> None:
    """Run the session's thread until None is queued."""
    is_stopped = False
    while not is_stopped:
        if state.session.is_bound and state.queued.empty():
            _listen(state.session)
        entries = _dequeue(state)
        messages = [entry for entry in entries if entry is not None]
        is_stopped = len(messages) < len(entries)
        if not state.session.is_bound and not is_stopped:
            _bind(state.session)
        if messages:
            _submit(state.session, messages)
    state.session.close()


def _listen(session: SmppSession) -> None:
    with contextlib.suppress(SessionBrokenError):  # `is_bound` shows it, and the next turn binds anew
        session.listen(LISTEN_SECONDS)


def _bind(session: SmppSession) -> None:
    try:
        session.bind()
    except SessionBrokenError as cause:
        log.warning("the SMS centre cannot be reached", extra={"action": "smpp_unbound", "reason": str(cause)})


def _dequeue(state: _SmppThreadState) -> list[_QueuedSms | None]:
    """Return up to `WINDOW` queued messages.

    Without a session, wait up to `REBIND_SECONDS` for a message before the next attempt to bind; the attempt is made
    even if there is none, because only a bound session gets receipts. The first attempt is made at once.
    """
    entries: list[_QueuedSms | None] = []
    with contextlib.suppress(queue.Empty):
        if not state.session.is_bound and state.has_tried_to_bind:
            entries.append(state.queued.get(timeout=REBIND_SECONDS))
        while len(entries) < WINDOW:
            entries.append(state.queued.get_nowait())
    state.has_tried_to_bind = True
    return entries


def _submit(session: SmppSession, messages: Sequence[_QueuedSms]) -> None:
    if not session.is_bound:
        for message in messages:
            message.on_result(SendResult.from_refusal(BROKEN_CONNECTION, "smpp_connection"))
        return
    results = session.submit([part for message in messages for part in message.parts])
    start = 0
    for message in messages:
        message.on_result(combine_results([results.get(start + number) for number in range(len(message.parts))]))
        start += len(message.parts)
