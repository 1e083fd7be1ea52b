"""Asks reporting over HTTP; whatever keeps it from answering becomes a message for the person at the terminal.

The key is a secret and comes from the environment, or from a file that the environment names, never from an option: the
options of a command can be read by everybody on the machine.
"""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

import httpx

from deploy.home import home
from schemas.plan.values import Bilingual
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError

REPORTING_URL = "http://127.0.0.1:8004"
REQUEST_SECONDS = 60.0  # a large report takes a second; the rest allows for a busy machine
KEY_VARIABLE = "DONDOC_READER_KEY"
KEY_FILE_VARIABLE = "DONDOC_READER_KEY_FILE"
LOCAL_KEY = Path("stack") / "local-reader.key"  # below the home of the local system, where `dondoc up` leaves it
_NO_KEY = Bilingual.of(
    en=f"this is no key, for it holds a space, a line break or a letter that no key has: let {KEY_VARIABLE} be the key "
    "alone, as `dondoc readers create` has printed it",
    vi=f"đây không phải khóa: có dấu cách, xuống dòng hoặc ký tự mà khóa không có; hãy đặt {KEY_VARIABLE} đúng bằng "
    "khóa mà lệnh `dondoc readers create` đã in ra",
)


def get(url: str, path: str, **query: str) -> httpx.Response:
    """Return reporting's answer to a GET of *path*; raise `UnusableInputError` with its problem document otherwise."""
    given = {name: value for name, value in query.items() if value}
    try:
        answer = httpx.get(f"{url}{path}", params=given, timeout=REQUEST_SECONDS, headers=build_headers(url))
    except (httpx.TransportError, httpx.InvalidURL) as cause:
        raise describe_silence(url, cause) from cause
    return require_success(answer)


def build_headers(url: str) -> Mapping[str, str]:
    """Return the headers of a request to *url*, with the reader's key if there is one.

    Raise `UnusableInputError` where it is no key, or its file cannot be read.
    """
    bearer = inputs.format_bearer(_read_key(url), malformed=_NO_KEY)
    return {"accept-language": output.find_language(), **({} if bearer is None else {"authorization": bearer})}


def require_success(answer: httpx.Response) -> httpx.Response:
    """Return *answer*; raise `UnusableInputError` with its problem document unless it is a success."""
    if answer.is_success:
        return answer
    raise UnusableInputError(_describe_problem(answer))


def describe_silence(url: str, cause: Exception) -> UnusableInputError:
    """Return the error that says that nobody answers at *url*."""
    return UnusableInputError(
        Bilingual.of(
            en=f"reporting at {url} does not answer: {cause}; set DONDOC_REPORTING_URL or --url",
            vi=f"dịch vụ báo cáo tại {url} không trả lời ({cause}); hãy đặt DONDOC_REPORTING_URL hoặc --url",
        )
    )


def _read_key(url: str) -> str:
    key, path = os.environ.get(KEY_VARIABLE, ""), os.environ.get(KEY_FILE_VARIABLE, "")
    if key or path:
        return key or inputs.read_text(Path(path))
    local = home() / LOCAL_KEY
    # The key of the system that `make up` runs on this machine goes to no other one.
    return inputs.read_text(local) if _is_of_this_machine(url) and local.exists() else ""


def _is_of_this_machine(url: str) -> bool:
    try:
        return ipaddress.ip_address(httpx.URL(url).host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False


def _describe_problem(answer: httpx.Response) -> Bilingual:
    """Return what reporting says, which is in the language that it was asked in."""
    if "problem+json" not in answer.headers.get("content-type", ""):
        return Bilingual.of(
            en=f"reporting answered {answer.status_code} at {answer.url}",
            vi=f"dịch vụ báo cáo trả lời mã {answer.status_code} tại {answer.url}",
        )
    problem = answer.json()
    said = f"{problem['title']}: {problem.get('detail') or problem['type']}"
    if answer.status_code != httpx.codes.UNAUTHORIZED:
        return Bilingual.of(en=said, vi=said)
    return Bilingual.of(en=f"{said}; set {KEY_VARIABLE}", vi=f"{said} Hãy đặt {KEY_VARIABLE}.")
