"""The OpenAPI document tells the truth: a fuzzer that generates questions from it meets only what it promises.

Which plans, agencies and receipts there are no document can say, and a cursor comes from an answer: in the copy that
the fuzzer reads they are those of the published plan, and the first page.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.support.clients.readers import ReadersFile
from tests.support.servers.services import Service

Get = Callable[..., Awaitable[httpx.Response]]

EXAMPLES = 5  # by the document, and as many against it, of each operation

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
]
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "negative_data_rejection": {"expected-statuses": [400, 404]},
            "positive_data_acceptance": {"expected-statuses": [200, 304, 403, 404, 409]},
        }
    }
)
KNOWN = {
    "plan": {"enum": ["6766-KH-UBND"]},
    "agency": {"enum": ["h-03", "h-04"]},
    "obligation": {"enum": ["annual-results"]},
    "group": {"enum": ["ubnd-huyen"]},
    "cursor": {"const": ""},
}
LISTS = ("/v1/duties", "/v1/agencies/{agency}", "/v1/plans/{plan}/periods/{period}")


def known_only(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the values that only plan and registry determine filled in."""
    shared = document["components"]["parameters"].values()
    inline = [one for path in LISTS for one in document["paths"][path]["get"]["parameters"] if "name" in one]
    for parameter in (*shared, *inline):
        if parameter["name"] in KNOWN:
            parameter["schema"] = KNOWN[parameter["name"]]
    return document


async def test_the_document_holds_for_generated_questions(
    reporting_with_year: Service, readers: ReadersFile, get: Get
) -> None:
    """Every answer is as declared, and exactly the questions that the document allows are answered."""
    document = known_only((await get(reporting_with_year, "/openapi.json")).json())
    schema = schemathesis.openapi.from_dict(document, config=CONFIG)

    def fuzz(path: str, mode: GenerationMode) -> None:
        @given(case=schema[path]["GET"].as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            case.call_and_validate(base_url=reporting_with_year.url, headers=readers.headers, checks=CHECKS)

        ask()

    for path in LISTS:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            await asyncio.to_thread(fuzz, path, mode)
