"""The OpenAPI document tells the truth: a fuzzer that generates requests from it meets only what it promises."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.topics import FACTS
from tests.support.intake import BATCH, STRUCTURED, sender
from tests.support.kafka import Bus
from tests.support.services import Service

EXAMPLES = 30
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("media_type", [STRUCTURED, BATCH, "application/json"])
async def test_the_document_holds_for_generated_requests(
    intake: Service, bearer: str, published: Bus, media_type: str
) -> None:
    """Every answer has a declared status, type, headers and shape; nothing generated gets in by accident."""
    schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{intake.url}/openapi.json")
    operation = schema["/v1/events"]["POST"]
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": media_type}
    if media_type == "application/json":
        headers |= {
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-source": "urn:x",
            "ce-type": "vn.dondoc.report.submitted.v1",
        }

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def fuzz(case: Any) -> None:
        case.media_type = media_type
        case.call_and_validate(headers=headers, checks=CHECKS)

    await asyncio.to_thread(fuzz)
    async with sender(intake, bearer) as client:
        refused = (await client.get("/metrics")).text
    assert 'intake_requests_refused_total{problem="invalid-event"} 0.0' not in refused, "nothing got past the decoder"
    assert await published.records(FACTS.name) == []
