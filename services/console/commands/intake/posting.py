"""Posts events to intake with an API key, again and again while it cannot take them.

That is safe, because intake answers an event that it has received already with its first receipt. So every request
whose outcome is unknown is retried.
"""

import re
import ssl
import time
from typing import Any

import httpx
from pydantic import HttpUrl, TypeAdapter, ValidationError

from schemas.plan.values import Bilingual, Language
from schemas.problems import Text
from services.console.support import inputs

EVENT = "application/cloudevents+json"

# A later attempt may succeed: timeout, rate limit, and failures of intake or of a proxy before it.
RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# Doubled after each attempt. The pauses between eight attempts add up to 31 s, longer than a service takes to restart.
FIRST_PAUSE_SECONDS = 0.25
MAX_PAUSE_SECONDS = 15.0

# Longer than intake gives a body to arrive (30 s) and then the broker to acknowledge (2.5 s).
REQUEST_SECONDS = 35.0

_ADDRESS = TypeAdapter(HttpUrl)
_NO_ADDRESS = Bilingual.of(
    en="this is no address of intake: let DONDOC_INTAKE_URL, or --url, be one such as http://127.0.0.1:8001, "
    "without user, password or query",
    vi="đây không phải địa chỉ của dịch vụ tiếp nhận; hãy đặt DONDOC_INTAKE_URL hoặc --url, ví dụ "
    "http://127.0.0.1:8001, không kèm tên người dùng, mật khẩu hay tham số",
)

# Visible ASCII without a space: what keys consist of and a header may hold (RFC 9110, section 5.5).
_KEY = re.compile("[!-~]+")
_NO_KEY = Bilingual.of(
    en="this is no key, for it holds a space, a line break or a letter that no key has: let DONDOC_KEY, or --key, be "
    "the key alone, as `dondoc keys create` has printed it",
    vi="đây không phải khóa: có dấu cách, xuống dòng hoặc ký tự mà khóa không có; hãy đặt DONDOC_KEY hoặc --key đúng "
    "bằng khóa mà lệnh `dondoc keys create` đã in ra",
)
_KEY_MISSING = Bilingual.of(
    en="there is no key: let DONDOC_KEY, or --key, be one that `dondoc keys create` has printed",
    vi="chưa có khóa; hãy đặt DONDOC_KEY hoặc --key bằng khóa mà lệnh `dondoc keys create` đã in ra",
)
_NOT_INTAKE = Bilingual.of(
    en="what answers there is not intake: let DONDOC_INTAKE_URL, or --url, be where intake is",
    vi="nơi trả lời không phải dịch vụ tiếp nhận; hãy đặt DONDOC_INTAKE_URL hoặc --url đúng địa chỉ",
)


class SubmissionRefusedError(Exception):
    """Intake refused an event or could not be reached; the message says what to do.

    *faults* are pairs of a JSON pointer into the event and a detail, both in the language that intake was asked for.
    """

    def __init__(self, detail: Text, faults: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail if isinstance(detail, str) else detail.in_language("en"))
        self._detail = detail
        self.faults = faults

    def in_language(self, language: Language) -> str:
        """Return the message in *language*."""
        return self._detail if isinstance(self._detail, str) else self._detail.in_language(language)


def open_client(url: str, key: str, language: Language) -> httpx.Client:
    """Return a client of the intake at *url* that posts with *key*; raise `UnusableInputError` where either is none."""
    headers = {"authorization": _format_bearer(key), "content-type": EVENT, "accept-language": language}
    return httpx.Client(base_url=_parse_address(url), headers=headers, timeout=REQUEST_SECONDS)


def post_with_retries(client: httpx.Client, body: bytes, query: dict[str, str], *, attempts: int) -> dict[str, Any]:
    """Post *body* until intake answers for good, at most *attempts* times; return the answer.

    The pause doubles from a quarter of a second to 15 seconds, and is at least what `Retry-After` asks for. Raise
    `SubmissionRefusedError` with the last refusal.
    """
    pause = FIRST_PAUSE_SECONDS
    refusal = SubmissionRefusedError("not tried")
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
        try:
            response = client.post("/v1/events", content=body, params=query)
        except httpx.TransportError as cause:
            _raise_if_untrusted(cause)
            # The event may have been recorded although no answer came; intake recognises the retry by source and id.
            detail = Bilingual.of(
                en=f"intake cannot be reached: {cause}", vi=f"không kết nối được với dịch vụ tiếp nhận: {cause}"
            )
            refusal = SubmissionRefusedError(detail)
            continue
        if response.is_success:
            return _parse_answer(response)
        refusal = _parse_refusal(response)
        if response.status_code not in RETRYABLE_STATUSES:
            break
        pause = max(pause, min(_retry_after_seconds(response), MAX_PAUSE_SECONDS))
    raise refusal


def receipt_row(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt of one event with the signature of the answer, or the answer itself if it has no receipt."""
    receipts = answer.get("receipts")
    return {**receipts[0], "jws": answer["jws"]} if receipts else answer


def _parse_address(url: str) -> str:
    """Return the address of intake; raise `UnusableInputError` where *url* is none.

    The message does not repeat *url*, because it may be a key that was given in the wrong place.
    """
    try:
        found = _ADDRESS.validate_python(url.strip())
    except ValidationError as cause:
        raise inputs.UnusableInputError(_NO_ADDRESS) from cause
    if found.username or found.password or found.query or found.fragment:
        raise inputs.UnusableInputError(_NO_ADDRESS)
    return str(found)


def _format_bearer(key: str) -> str:
    """Return the value of the authorization header, without the white space that files and pasting leave around a key.

    Raise `UnusableInputError` where *key* is no key.
    """
    bare = key.strip()
    if not bare:
        raise inputs.UnusableInputError(_KEY_MISSING)
    if not _KEY.fullmatch(bare):
        raise inputs.UnusableInputError(_NO_KEY)
    return f"Bearer {bare}"


def _raise_if_untrusted(failure: httpx.TransportError) -> None:
    """Raise `UnusableInputError` where *failure* was caused by an untrusted certificate: a retry would fail as well."""
    # httpx wraps the error of the ssl module twice; it is found by following the chain of causes.
    cause: BaseException | None = failure
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        detail = Bilingual.of(
            en=f"intake shows a certificate that is not trusted: {cause.verify_message}; let SSL_CERT_FILE name a file "
            "with the certificates of who vouches for it",
            vi=f"chứng thư của dịch vụ tiếp nhận chưa được tin cậy ({cause.verify_message}); hãy đặt SSL_CERT_FILE là "
            "tệp chứa chứng thư của tổ chức cấp",
        )
        raise inputs.UnusableInputError(detail)


def _retry_after_seconds(response: httpx.Response) -> float:
    # Retry-After may also be an HTTP date (RFC 9110, section 10.2.3); intake sends seconds only.
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else 0.0


def _parse_answer(response: httpx.Response) -> dict[str, Any]:
    document = _parse_json_object(response)
    if document is None:
        raise SubmissionRefusedError(_NOT_INTAKE)
    return document


def _parse_refusal(response: httpx.Response) -> SubmissionRefusedError:
    document = _parse_json_object(response)
    if document is None:
        return SubmissionRefusedError(f"{response.status_code} {response.reason_phrase}")
    title = f"{document.get('title', response.reason_phrase)} ({response.status_code})"
    detail = str(document.get("detail"))
    faults = tuple((one["pointer"], one["detail"]) for one in document.get("errors", ()))
    return SubmissionRefusedError(f"{title}: {detail}", faults)


def _parse_json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
