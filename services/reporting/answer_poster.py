"""Posts the officer's answers to intake with reporting's own key.

An event is posted again while its outcome is unknown, which is safe: intake answers an event that it has received
already with its first receipt.
"""

import asyncio
import logging
from dataclasses import dataclass

import httpx
import msgspec
from pydantic import SecretStr

EVENT_MEDIA_TYPE = "application/cloudevents+json"

# Longer than intake waits for its broker (2.5 s) before it takes the event into its spool.
REQUEST_SECONDS = 5.0

# A person waits for the page: three attempts with two pauses, 16 seconds where intake hangs each time.
PAUSES_SECONDS = (0.25, 0.75)

# A later attempt may succeed: timeout, rate limit, and failures of intake or of a proxy before it.
RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_KEY_STATUSES = frozenset({401, 403})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipted:
    """Intake has recorded the event, now or before."""

    receiptid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRefused:
    """Intake took the event for invalid: pairs of a JSON pointer and what is wrong there, in the caller's language."""

    errors: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefused:
    """Intake refused reporting's key; the operator has to give reporting another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeUnavailable:
    """No answer says that the event was recorded, and none that it was not."""


PostOutcome = Receipted | AnswerRefused | KeyRefused | IntakeUnavailable


class _AnswerReceipt(msgspec.Struct):
    receiptid: str


class _Receipts(msgspec.Struct):
    receipts: tuple[_AnswerReceipt, ...]


class _FieldRefusal(msgspec.Struct):
    pointer: str
    detail: str


class _RefusalDocument(msgspec.Struct):
    title: str = ""
    detail: str = ""
    errors: tuple[_FieldRefusal, ...] = ()


class AnswerPoster:
    """Posts to the intake at *url*. Without a key nothing can be posted."""

    def __init__(self, url: str, key: SecretStr | None) -> None:
        self._url = f"{url.rstrip('/')}/v1/events"
        self._key = key
        self._client = httpx.AsyncClient(timeout=REQUEST_SECONDS)

    @property
    def has_key(self) -> bool:
        """Whether reporting was given a key of its own."""
        return self._key is not None

    async def post(self, event: bytes, *, language: str) -> PostOutcome:
        """Post a CloudEvent in JSON; ask for what is wrong with it in *language*."""
        if self._key is None:
            return KeyRefused()
        headers = {
            "authorization": f"Bearer {self._key.get_secret_value()}",
            "content-type": EVENT_MEDIA_TYPE,
            "accept-language": language,
        }
        for pause in (*PAUSES_SECONDS, None):
            outcome = await self._try_once(event, headers)
            if not isinstance(outcome, IntakeUnavailable) or pause is None:
                break
            await asyncio.sleep(pause)
        return outcome

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _try_once(self, event: bytes, headers: dict[str, str]) -> PostOutcome:
        try:
            response = await self._client.post(self._url, content=event, headers=headers)
        except httpx.HTTPError as cause:
            log.warning("intake does not answer", extra={"action": "intake_away", "error": type(cause).__name__})
            return IntakeUnavailable()
        status = response.status_code
        try:
            if response.is_success:
                return Receipted(receiptid=msgspec.json.decode(response.content, type=_Receipts).receipts[0].receiptid)
            problem = msgspec.json.decode(response.content, type=_RefusalDocument)
        except (msgspec.MsgspecError, IndexError):
            log.warning("what answers is no intake", extra={"action": "intake_away", "status": status})
            return IntakeUnavailable()
        return _describe_refusal(status, problem)


def _describe_refusal(status: int, problem: _RefusalDocument) -> PostOutcome:
    if status in RETRYABLE_STATUSES:
        log.warning("intake cannot take an event", extra={"action": "intake_away", "status": status})
        return IntakeUnavailable()
    if status in _KEY_STATUSES:
        log.error("intake refuses the key of reporting", extra={"action": "intake_key_refused", "status": status})
        return KeyRefused()
    log.warning("intake refuses an answer", extra={"action": "intake_refused", "status": status})
    errors = tuple((one.pointer, one.detail) for one in problem.errors)
    return AnswerRefused(errors=errors or (("", problem.detail or problem.title),))
