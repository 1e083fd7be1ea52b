"""Problem documents say in the client's language what was refused and what to do (RFC 9457)."""

import json

import pytest

from schemas import problems
from schemas.plan.values import Bilingual, Language
from schemas.problems import FieldError, Problem, ProblemType

INVALID = ProblemType(slug="invalid-event", status=422, title=Bilingual(en="Not valid", vi="Không hợp lệ"))


def test_a_document_has_its_members_in_order() -> None:
    """The members are type, title, status, instance, detail and errors, written without spaces in UTF-8."""
    error = FieldError(pointer="/data/plan", detail=Bilingual(en="no such plan", vi="không có kế hoạch này"))
    problem = Problem(type=INVALID, instance="/v1/events", detail="1 error", errors=(error,))
    assert problems.encode(problem, "vi").decode() == (
        '{"type":"/problems/invalid-event","title":"Không hợp lệ","status":422,"instance":"/v1/events",'
        '"detail":"1 error","errors":[{"pointer":"/data/plan","detail":"không có kế hoạch này"}]}'
    )


def test_what_is_not_given_is_left_out() -> None:
    """A problem without a detail, errors and instance has three members."""
    assert problems.document(Problem(type=INVALID), "en") == {
        "type": "/problems/invalid-event",
        "title": "Not valid",
        "status": 422,
    }


def test_a_text_in_one_language_is_shown_in_both() -> None:
    """The message of an exception exists in English only and is shown as it is."""
    problem = Problem(type=INVALID, detail="no such plan")
    assert {json.loads(problems.encode(problem, language))["detail"] for language in ("en", "vi")} == {"no such plan"}


def test_the_headers_name_type_language_and_the_time_to_wait() -> None:
    """`retry-after` is there only if the problem says when to try again."""
    assert problems.headers(Problem(type=INVALID), "vi") == {
        "content-type": "application/problem+json",
        "content-language": "vi",
    }
    assert problems.headers(Problem(type=INVALID, retry_after_seconds=5), "en")["retry-after"] == "5"


def test_an_error_within_a_batch_points_into_the_batch() -> None:
    """The pointer of an error is prefixed with that of the event; `~` and `/` in a name are escaped (RFC 6901)."""
    pointer = problems.pointer_of("data", "indicators", "a/b~c", 0)
    assert pointer == "/data/indicators/a~1b~0c/0"
    assert FieldError(pointer=pointer, detail="x").within("/3").pointer == "/3/data/indicators/a~1b~0c/0"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("vi", "vi"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en;q=0.1, vi;q=0.9", "vi"),
        ("fr, en;q=0.2, vi;q=0.1", "en"),
        ("fr, de", "en"),
        ("vi;q=0", "en"),
        ("vi;q=x, en;q=0.1", "en"),
        ("en, vi", "en"),
    ],
)
def test_the_language_is_the_one_with_the_highest_weight(header: str, language: Language) -> None:
    """Of two with the same weight the first wins; without any of ours it is the default."""
    assert problems.choose_language(header, "en") == language
    assert problems.choose_language("fr", "vi") == "vi"
