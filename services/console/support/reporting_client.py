"""Asks reporting over HTTP; whatever keeps it from answering becomes a message for the person at the terminal."""

from collections.abc import Mapping

import httpx

from services.console.support.inputs import UnusableInputError

REPORTING_URL = "http://127.0.0.1:8004"
REQUEST_SECONDS = 60.0  # a large report takes a second; the rest allows for a busy machine
HEADERS: Mapping[str, str] = {"accept-language": "en"}


def get(url: str, path: str, **query: str) -> httpx.Response:
    """Return reporting's answer to a GET of *path*; raise `UnusableInputError` with its problem document otherwise."""
    given = {name: value for name, value in query.items() if value}
    try:
        answer = httpx.get(f"{url}{path}", params=given, timeout=REQUEST_SECONDS, headers=HEADERS)
    except (httpx.TransportError, httpx.InvalidURL) as cause:
        raise describe_silence(url, cause) from cause
    return require_success(answer)


def require_success(answer: httpx.Response) -> httpx.Response:
    """Return *answer*; raise `UnusableInputError` with its problem document unless it is a success."""
    if answer.is_success:
        return answer
    raise UnusableInputError(_describe_problem(answer))


def describe_silence(url: str, cause: Exception) -> UnusableInputError:
    """Return the error that says that nobody answers at *url*."""
    return UnusableInputError(f"reporting at {url} does not answer: {cause}; set DONDOC_REPORTING_URL or --url")


def _describe_problem(answer: httpx.Response) -> str:
    if "problem+json" not in answer.headers.get("content-type", ""):
        return f"reporting answered {answer.status_code} at {answer.url}"
    problem = answer.json()
    return f"{problem['title']}: {problem.get('detail') or problem['type']}"
