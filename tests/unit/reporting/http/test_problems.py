"""What reporting refuses is told wholly in the language of whoever asks, with the place and the remedy."""

import json

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.cited_documents import NotFoundError
from services.reporting.content.submission_contents import UnreadableContentError
from services.reporting.core.access.readers import EVERYTHING, Reader
from services.reporting.core.sealing.versions import VersionConflictError
from services.reporting.http import problems, request_bodies
from services.reporting.http.access.authentication import Identity
from services.reporting.http.evaluations_api import EvaluationBody
from services.reporting.http.evidence.document_api import parse_number
from services.reporting.http.problems import InvalidBodyError, InvalidQueryError, UnreadableBodyError
from services.reporting.http.query_parameters import DUTIES, QueryParameters, parse_duties_query, parse_period_of_path
from services.reporting.http.seal_requests import SealBody
from services.reporting.sealing.sealer import LogUnsettledError
from services.reporting.store import NotAssessedError
from services.runtime.clock import SystemClock

GENERIC = "giá trị không hợp lệ"
QUERIES = ("as_of=z", "as_of=2026-12-09", "known_at=0001-01-01T00:00:00Z", "lang=fr", "limit=0", "cursor=z", "sort=z",
           "period=20x", "status=z", "queue=z", "dry_run=true")  # fmt: skip


def a_request(query: str, **path: str) -> Request:
    """Build a request to the API by a reader of everything."""
    reader = Reader(id="officer", name="Lê Thị B", scope=EVERYTHING)
    scope = {"type": "http", "path": "/v1/duties", "query_string": query.encode(), "headers": [], "path_params": path}
    return Request({**scope, "state": {"identity": Identity(reader=reader)}})


@pytest.mark.parametrize("query", QUERIES)
def test_a_parameter_that_is_refused_is_told_in_both_languages(query: str) -> None:
    """Each has the pointer of its parameter and, in either language, what would be accepted."""
    with pytest.raises(InvalidQueryError) as refused:
        parse_duties_query(QueryParameters(a_request(query)), SystemClock(), *DUTIES)
    ((name, detail),) = refused.value.errors.items()
    assert name == query.partition("=")[0]
    assert detail.en
    assert detail.en != detail.vi != GENERIC
    assert refused.value.detail.vi == f"{name}: {detail.vi}"


def test_a_version_that_is_no_number_is_told_in_both_languages() -> None:
    """The parameter of published documents is one of them."""
    parameters = QueryParameters(a_request("version=z"))
    assert parameters.parse("version", parse_number, None) is None
    assert parameters.errors["version"].vi != GENERIC


def test_a_period_that_is_none_is_told_in_both_languages() -> None:
    """The path that names it leads nowhere."""
    with pytest.raises(NotFoundError) as refused:
        parse_period_of_path(a_request("", period="20x"))
    assert refused.value.detail.vi == (
        "kỳ báo cáo phải có dạng như 2026, 2026-H1, 2026-9M, 2026-Q3, 2026-07 hoặc 2026-W07"
    )
    assert (refused.value.detail.en or "").startswith("'20x' is not a reporting period")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_a_body_that_is_no_json_cannot_be_read(body: bytes) -> None:
    """It is refused as such (400), before anybody looks for fields in it."""
    with pytest.raises(ValidationError) as cause:
        SealBody.model_validate_json(body)
    assert isinstance(request_bodies.describe_invalid_body(cause.value), UnreadableBodyError)
    assert problems.ReportingProblem.UNREADABLE_BODY.value.status == 400


@pytest.mark.parametrize(
    ("model", "body", "pointers"),
    [
        (SealBody, {}, {"/signer"}),
        (SealBody, {"signer": " ", "version": 0}, {"/signer", "/version"}),
        (SealBody, {"signer": "A", "a/b": 1}, {"/a~1b"}),
        (SealBody, [], {""}),
        (EvaluationBody, {"agency": 5, "grade": None}, {"/agency", "/grade"}),
    ],
)
def test_a_field_that_is_refused_is_told_in_both_languages(
    model: type[SealBody | EvaluationBody], body: object, pointers: set[str]
) -> None:
    """Each has its JSON pointer (RFC 6901) and words that are not pydantic's."""
    with pytest.raises(ValidationError) as cause:
        model.model_validate_json(json.dumps(body))
    found = request_bodies.describe_invalid_body(cause.value)
    assert isinstance(found, InvalidBodyError)
    assert set(found.errors) == pointers
    for detail in found.errors.values():
        assert detail.en != detail.vi != GENERIC
        assert not any(word in (detail.en or "") for word in ("valid", "permitted", "should"))


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError(en="no plan 'X' is published", vi="chưa công bố kế hoạch 'X'"),
        VersionConflictError(2, 0),
        LogUnsettledError("records went on arriving"),
        NotAssessedError("rules has not assessed any duty of plan 'X' yet"),
        UnreadableContentError([]),
    ],
)
async def test_an_answer_has_one_language(error: Exception) -> None:
    """The document of a refusal has nothing of the other language, neither in its title nor in its detail."""
    handlers = problems.build_handlers(lambda *_: Response(), lambda *_: None)
    answers = [await handlers[type(error)](a_request(f"lang={language}"), error) for language in ("en", "vi")]
    english, vietnamese = (json.loads(bytes(answer.body)) for answer in answers)
    assert english["type"] == vietnamese["type"]
    assert all(english[member] != vietnamese[member] for member in ("title", "detail"))
    assert english["detail"].isascii()
    assert not vietnamese["detail"].isascii()
