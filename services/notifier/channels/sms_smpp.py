"""SMS over SMPP: texts become parts, and what the centre answers about the parts becomes one outcome.

The session lives in a thread of its own, which submits what waits and takes receipts in between. Of a message of
several parts one may be taken and another not: it is then unknown and never sent again, so that none is read twice.
"""

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field

from schemas.events.deliveries import AttemptOutcome
from services.notifier.channels.message import Answer, Message
from services.notifier.channels.smpp_session import LinkBrokenError, Part, SmppLink, SmsCentre, Taken
from services.notifier.core.rendering import sms_segments
from services.notifier.errors import NotifierError

WINDOW = 32  # messages under way at once; centres commonly allow tens of open submissions
LISTEN_SECONDS = 0.05  # how long a receipt, or a message that comes while it listens, may wait
REBIND_SECONDS = 5.0
RECEIPT_SECONDS = 5.0  # for the ledger to keep a receipt; then the centre is asked to send it again
_BUSY = frozenset({0x14, 0x58})  # ESME_RMSGQFUL, ESME_RTHROTTLED: the same will be taken later
_NEVER = frozenset({0x0B, 0x33, 0x34, 0x40, 0x42, 0x50})  # invalid destination address, its numbering or number
_FAILED = {
    "UNDELIV": AttemptOutcome.PERMANENT_FAILURE,
    "REJECTD": AttemptOutcome.PERMANENT_FAILURE,
    "DELETED": AttemptOutcome.PERMANENT_FAILURE,
    "EXPIRED": AttemptOutcome.TEMPORARY_FAILURE,
}

OnReceipt = Callable[[str, AttemptOutcome | None], Coroutine[None, None, None]]
"""Keeps what became of the part of that id: nothing, or the failure. What it raises makes the centre tell again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    parts: tuple[Part, ...]
    answer: Callable[[Answer], None]


@dataclass(slots=True, kw_only=True)
class _Link:
    session: SmppLink
    jobs: "queue.SimpleQueue[_Job | None]" = field(default_factory=queue.SimpleQueue)
    has_tried_to_bind: bool = False


class SmsCarrier:
    """Sends SMS through one session with one centre. Make it within the running event loop; `start` binds."""

    def __init__(self, centre: SmsCentre, on_receipt: OnReceipt) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_receipt = on_receipt
        self._link = _Link(session=SmppLink(centre, self._noted))
        self._thread = threading.Thread(target=_serve, args=(self._link,), name="smpp", daemon=True)

    def start(self) -> None:
        """Begin to bind, to take the receipts that the centre kept."""
        self._thread.start()

    async def send(self, message: Message) -> Answer:
        answered: asyncio.Future[Answer] = self._loop.create_future()

        def answer(found: Answer) -> None:
            self._loop.call_soon_threadsafe(_settle, answered, found)

        self._link.jobs.put(_Job(parts=parts(message), answer=answer))
        return await answered

    async def close(self) -> None:
        """Send what waits, unbind and end the thread."""
        self._link.jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _noted(self, name: str, state: str) -> bool:
        """Have a receipt kept, from the session's thread; say whether it was."""
        kept = asyncio.run_coroutine_threadsafe(self._on_receipt(name, _FAILED.get(state)), self._loop)
        try:
            kept.result(RECEIPT_SECONDS)
        except (NotifierError, TimeoutError):
            return False
        return True


def _settle(answered: "asyncio.Future[Answer]", found: Answer) -> None:
    if not answered.done():  # whoever waited may have given up
        answered.set_result(found)


def parts(message: Message) -> tuple[Part, ...]:
    """Return *message* as parts. Their common reference derives from the delivery, the same on a retry."""
    body = message.text.body
    texts, in_gsm7 = sms_segments.split(body), sms_segments.cost(body).is_gsm7
    reference = int(message.id[:2], 16)
    headers = [bytes((5, 0, 3, reference, len(texts), number)) for number in range(1, len(texts) + 1)]
    return tuple(
        Part(
            address=message.address,
            content=(header if len(texts) > 1 else b"") + sms_segments.encoded(text, in_gsm7=in_gsm7),
            is_ucs2=not in_gsm7,
            has_header=len(texts) > 1,
        )
        for header, text in zip(headers, texts, strict=True)
    )


def outcome(taken: Sequence[Taken | None]) -> Answer:
    """Return how a message ended whose parts were answered like this; nothing is a part without an answer."""
    if all(one is not None and one.status == 0 for one in taken):
        return Answer(outcome=AttemptOutcome.DELIVERED, provider_ids=tuple(one.provider_id for one in taken if one))
    if any(one is None or one.status == 0 for one in taken):
        return Answer(outcome=AttemptOutcome.UNKNOWN, reason="smpp_unanswered")
    status = max(one.status for one in taken if one)
    if status in _BUSY:
        return Answer(outcome=AttemptOutcome.TEMPORARY_FAILURE, reason=f"smpp_{status:#x}")
    if status in _NEVER:
        return Answer(outcome=AttemptOutcome.PERMANENT_FAILURE, reason=f"smpp_{status:#x}")
    return Answer(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason=f"smpp_{status:#x}")


def _serve(link: _Link) -> None:
    """Run the session's thread until a stop is queued."""
    is_stopped = False
    while not is_stopped:
        if link.session.is_bound and link.jobs.empty():
            _listen(link.session)
        waiting = _waiting(link)
        jobs = [job for job in waiting if job is not None]
        is_stopped = len(jobs) < len(waiting)
        if not link.session.is_bound and not is_stopped:
            _bind(link.session)
        if jobs:
            _submit(link.session, jobs)
    link.session.close()


def _listen(session: SmppLink) -> None:
    with contextlib.suppress(LinkBrokenError):  # it shows in `is_bound`, and is mended at the next turn
        session.listen(LISTEN_SECONDS)


def _bind(session: SmppLink) -> None:
    try:
        session.bind()
    except LinkBrokenError as cause:
        log.warning("the SMS centre cannot be reached", extra={"action": "smpp_unbound", "reason": str(cause)})


def _waiting(link: _Link) -> list[_Job | None]:
    """Return what waits to be sent; without a session wait for it, but not so long that receipts are forgotten."""
    jobs: list[_Job | None] = []
    with contextlib.suppress(queue.Empty):
        if not link.session.is_bound and link.has_tried_to_bind:
            jobs.append(link.jobs.get(timeout=REBIND_SECONDS))
        while len(jobs) < WINDOW:
            jobs.append(link.jobs.get_nowait())
    link.has_tried_to_bind = True
    return jobs


def _submit(session: SmppLink, jobs: Sequence[_Job]) -> None:
    if not session.is_bound:
        for job in jobs:
            job.answer(Answer(outcome=AttemptOutcome.TECHNICAL_FAILURE, reason="smpp_connection"))
        return
    taken = session.submit([part for job in jobs for part in job.parts])
    place = 0
    for job in jobs:
        job.answer(outcome([taken.get(place + number) for number in range(len(job.parts))]))
        place += len(job.parts)
