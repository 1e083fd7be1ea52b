"""What reporting tells about itself: the OpenAPI document, a page to read it by, the AsyncAPI of its topics."""

import io
from functools import reduce
from importlib import resources
from operator import or_
from typing import Any

from jinja2 import Environment
from pydantic import TypeAdapter
from ruamel.yaml import YAML
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from schemas.events.assessments import DutyAssessed
from schemas.events.deliveries import AlertAttempted
from schemas.events.envelope import Envelope
from schemas.events.facts import MODEL_OF
from schemas.events.topics import DELIVERIES, FACTS, VERDICTS, Topic

ASYNCAPI_VERSION = "3.0.0"


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document as written beside this module."""
    text = resources.files(__package__).joinpath("openapi.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = YAML(typ="safe").load(io.StringIO(text))
    return document


def asyncapi() -> dict[str, Any]:
    """Return what this service receives from the bus, with the published schemas of each message."""
    received = {
        "verdicts": (VERDICTS, Envelope[DutyAssessed].model_json_schema()),
        "deliveries": (DELIVERIES, Envelope[AlertAttempted].model_json_schema()),
        "facts": (FACTS, _facts_schema()),
    }
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {"title": "Đôn Đốc reporting", "version": "1"},
        "defaultContentType": "application/cloudevents+json",
        "channels": {name: _channel(topic, schema) for name, (topic, schema) in received.items()},
        "operations": {
            f"receive_{name}": {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}} for name in received
        },
    }


def routes(templates: Environment) -> list[Route]:
    """Return the routes of the descriptions."""
    described, bus = openapi(), asyncapi()

    async def get_openapi(_request: Request) -> Response:
        return JSONResponse(described)

    async def get_asyncapi(_request: Request) -> Response:
        return JSONResponse(bus)

    async def get_docs(_request: Request) -> Response:
        return HTMLResponse(templates.get_template("docs.html").render(api=described, language="en"))

    return [
        Route("/openapi.json", get_openapi),
        Route("/asyncapi", get_asyncapi),
        Route("/docs", get_docs),
    ]


def _facts_schema() -> dict[str, Any]:
    envelopes: list[Any] = [Envelope[model] for model in MODEL_OF.values()]  # type: ignore[valid-type]  # published types
    return TypeAdapter(reduce(or_, envelopes)).json_schema()


def _channel(topic: Topic, schema: dict[str, Any]) -> dict[str, Any]:
    return {"address": topic.name, "description": topic.description, "messages": {"event": {"payload": schema}}}
