"""Conditional answers (RFC 9110 section 13) and the choice between CSV and JSON."""

import pytest
from starlette.requests import Request

from services.reporting.http import conditional


def a_request(**headers: str) -> Request:
    """Return a request with these headers."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ("", 200),
        ('"other"', 200),
        ("{tag}", 304),
        ('"other", {tag}', 304),
        ("W/{tag}", 304),
        ("*", 304),
    ],
)
@pytest.mark.parametrize("is_weak", [True, False])
def test_who_names_the_tag_gets_no_body(named: str, status: int, is_weak: bool) -> None:  # noqa: FBT001
    """The comparison is weak, and both answers bear the tag."""
    tag = conditional.tag_of(b"{}", is_weak=is_weak)
    request = a_request(if_none_match=named.format(tag=tag.removeprefix("W/")))
    answer = conditional.respond(request, b"{}", tag=tag, media_type=conditional.JSON)
    assert (answer.status_code, answer.headers["etag"]) == (status, tag)
    assert answer.body == (b"{}" if status == 200 else b"")
    assert "no-cache" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("", False),
        ("*/*", False),
        ("text/csv", True),
        ("text/csv, application/json", False),
        ("application/json;q=0.5, text/csv", True),
        ("text/csv;q=0", False),
        ("text/csv; q=half", False),
        ("TEXT/CSV; header=present; q=0.1", True),
    ],
)
def test_csv_is_for_those_who_would_rather_have_it(accept: str, is_csv: bool) -> None:  # noqa: FBT001
    """Whoever names nothing, or both alike, gets JSON."""
    assert conditional.prefers_csv(a_request(accept=accept)) is is_csv
