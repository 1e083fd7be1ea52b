"""Descriptions of reporting's interfaces: its OpenAPI document, a page that shows it, the AsyncAPI of its topics."""

import io
import json
from collections.abc import Iterable
from functools import reduce
from importlib import resources
from operator import or_
from typing import Any

from jinja2 import Environment
from pydantic import BaseModel, TypeAdapter
from ruamel.yaml import YAML
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from schemas.events.assessments import DutyAssessed, Status, StepKind
from schemas.events.deliveries import AlertAttempted, AttemptOutcome, Channel
from schemas.events.envelope import Envelope
from schemas.events.facts import MODEL_OF
from schemas.events.reports import EvaluationRecorded, ReportSealed, SealedDocumentPart
from schemas.events.topics import DELIVERIES, FACTS, REPORTS, VERDICTS, Topic
from schemas.plan import periods
from services.reporting.core.access.decisions import Access
from services.reporting.core.lists import sorting
from services.reporting.core.lists.queues import Queue
from services.reporting.http import query_parameters
from services.reporting.http.access.guard import AccessRoute
from services.runtime.http.admin import ASYNCAPI_PATH
from services.runtime.http.asgi import AsgiHandler, Receive, Scope, Send, send_response

ASYNCAPI_VERSION = "3.0.0"


def load_openapi() -> dict[str, Any]:
    """Return the OpenAPI document: the file `openapi.yaml` beside this module, with the vocabulary of the code."""
    text = resources.files(__package__).joinpath("openapi.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = YAML(typ="safe").load(io.StringIO(text))
    columns = [f"{direction}{name}" for name in sorting.COLUMNS for direction in ("", "-")]
    vocabulary: dict[str, dict[str, Any]] = {
        "Status": {"enum": [status.value for status in Status]},
        "AlertKind": {"enum": [kind.value for kind in StepKind]},
        "AlertChannel": {"enum": [channel.value for channel in Channel]},
        "AlertOutcome": {"enum": [outcome.value for outcome in AttemptOutcome]},
        "Queue": {"enum": [queue.value for queue in Queue]},
        "SortColumn": {"enum": columns},
        "Period": {"pattern": periods.PATTERN},
        "QuestionInstant": {"pattern": query_parameters.INSTANT_PATTERN},
    }
    for name, words in vocabulary.items():
        document["components"]["schemas"][name] |= words
    return document


def build_asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document of the topics that this service consumes, with the published schema of each."""
    consumed = {
        "verdicts": (VERDICTS, Envelope[DutyAssessed].model_json_schema()),
        "deliveries": (DELIVERIES, Envelope[AlertAttempted].model_json_schema()),
        "facts": (FACTS, _build_union_schema(MODEL_OF.values())),
        "reports": (REPORTS, _build_union_schema((ReportSealed, SealedDocumentPart, EvaluationRecorded))),
    }
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {"title": "Đôn Đốc reporting", "version": "1"},
        "defaultContentType": "application/cloudevents+json",
        "channels": {name: _build_channel(topic, schema) for name, (topic, schema) in consumed.items()},
        "operations": {
            f"receive_{name}": {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}} for name in consumed
        },
    }


def asyncapi_route() -> tuple[str, AsgiHandler]:
    """Return the path and the handler of the AsyncAPI document."""
    document = json.dumps(build_asyncapi()).encode()

    async def get_asyncapi(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send_response(send, document)

    return ASYNCAPI_PATH, get_asyncapi


def build_routes(templates: Environment) -> list[BaseRoute]:
    """Return the routes of the OpenAPI document and of the page that shows it."""
    openapi = load_openapi()

    async def get_openapi(_request: Request) -> Response:
        return JSONResponse(openapi)

    async def get_docs(_request: Request) -> Response:
        return HTMLResponse(templates.get_template("docs.html").render(api=openapi, language="en"))

    return [
        AccessRoute("/openapi.json", get_openapi, Access.OPEN),
        AccessRoute("/docs", get_docs, Access.OPEN),
    ]


def _build_union_schema(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    envelopes: list[Any] = [Envelope[model] for model in models]  # type: ignore[valid-type]  # published types
    return TypeAdapter(reduce(or_, envelopes)).json_schema()


def _build_channel(topic: Topic, schema: dict[str, Any]) -> dict[str, Any]:
    return {"address": topic.name, "description": topic.description, "messages": {"event": {"payload": schema}}}
