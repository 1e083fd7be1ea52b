"""What intake tells about itself: the OpenAPI document, a page to read it by, the meaning of each problem type."""

import html
from functools import cache
from importlib import resources

import msgspec

from schemas.facts import MODEL_OF
from services.intake import modes
from services.intake.core.refusals import Problem
from services.intake.http import Request, Response
from services.intake.router import Route

HTML = b"text/html; charset=utf-8"
PROBLEM_STATUSES = tuple(sorted({problem.value.status for problem in Problem} - {404, 405, 500}))
_CLOUDEVENTS_ATTRIBUTES = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "minLength": 1, "maxLength": 1024},
    "source": {"type": "string", "minLength": 1, "maxLength": 1024},
    "subject": {"type": "string", "minLength": 1, "description": "The agency; filled in where it is absent."},
    "time": {"type": "string", "format": "date-time"},
    "datacontenttype": {"type": "string", "pattern": "^application/json"},
    "dataschema": {"type": "string", "minLength": 1},
}


@cache
def openapi() -> bytes:
    """Return the OpenAPI 3.1 document of this service."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Đôn Đốc intake",
                "version": "1",
                "description": "Takes CloudEvents and answers with signed receipts once nothing can lose them.",
            },
            "paths": {
                "/v1/events": {"post": _post_events()},
                "/.well-known/jwks.json": {"get": _get("The keys that receipts are signed with (RFC 7517).")},
            },
            "components": {
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
                "schemas": {
                    "Event": _event(),
                    "Receipts": _RECEIPTS,
                    "DryRun": _DRY_RUN,
                    "Problem": _PROBLEM,
                    **_fact_schemas(),
                },
            },
        }
    )


def _post_events() -> dict[str, object]:
    refused = {str(status): _refused(status) for status in PROBLEM_STATUSES}
    return {
        "operationId": "postEvents",
        "summary": "Hand in events: one (structured or binary mode) or a batch, which is accepted or refused whole.",
        "security": [{"key": []}],
        "parameters": _PARAMETERS,
        "requestBody": {
            "required": True,
            "content": {
                "application/cloudevents+json": {"schema": _ref("Event")},
                "application/cloudevents-batch+json": {
                    "schema": {"type": "array", "items": _ref("Event"), "maxItems": modes.BATCH_EVENTS_MAX}
                },
                "application/json": {
                    "schema": {
                        "type": "object",
                        "description": "The data; the attributes are `ce-` headers (binary mode).",
                    }
                },
            },
        },
        "responses": {
            "200": _answered("The dry run's answer.", "DryRun"),
            "202": _answered("Every event is durable.", "Receipts"),
            **refused,
        },
    }


def _refused(status: int) -> dict[str, object]:
    titles = [problem.value.title.en for problem in Problem if problem.value.status == status]
    answer: dict[str, object] = {
        "description": "; ".join(titles),
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
    if status in {429, 503}:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}}
    return answer


def _answered(description: str, schema: str) -> dict[str, object]:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _get(summary: str) -> dict[str, object]:
    return {"summary": summary, "responses": {"200": {"description": "OK", "content": {"application/json": {}}}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _event() -> dict[str, object]:
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            **_CLOUDEVENTS_ATTRIBUTES,
            "type": {"enum": sorted(MODEL_OF)},
            "data": {"anyOf": [_ref(model.__name__) for model in MODEL_OF.values()]},
        },
        "propertyNames": {"pattern": "^[a-z0-9_]+$"},
    }


def _fact_schemas() -> dict[str, object]:
    schemas: dict[str, object] = {}
    for model in MODEL_OF.values():
        schema = model.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    return schemas


_TEXT = {"type": "string"}
_PARAMETERS = [
    {
        "name": "dry_run",
        "in": "query",
        "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
        "description": "Answer what would be said of the report and what would be missing; record nothing.",
    },
    {
        "name": "Accept-Language",
        "in": "header",
        "schema": {"type": "string"},
        "description": "`vi` for Vietnamese.",
    },
]
_RECEIPT = {
    "type": "object",
    "required": ["id", "source", "receiptid", "receivedtime", "sha256"],
    "properties": {
        "id": _TEXT,
        "source": _TEXT,
        "receiptid": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "receivedtime": {"type": "string", "format": "date-time"},
        "sha256": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "Of the event as received: the body, or its own bytes within a batch.",
        },
    },
}
_RECEIPTS = {
    "type": "object",
    "required": ["receipts", "jws"],
    "properties": {
        "receipts": {"type": "array", "items": _RECEIPT},
        "jws": {"type": "string", "description": 'Compact JWS (Ed25519) over {"iss", "receipts"}.'},
    },
}
_DRY_RUN = {"type": "object", "required": ["dry_run"], "properties": {"dry_run": {"const": True}}}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"enum": [f"/problems/{problem.value.slug}" for problem in Problem]},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": _TEXT, "detail": _TEXT},
            },
        },
    },
}


async def get_openapi(_request: Request) -> Response:
    """Answer with the OpenAPI document."""
    return Response(status=200, body=openapi())


async def get_docs(_request: Request) -> Response:
    """Answer with a page for people, which needs neither a script nor another server."""
    return Response(status=200, body=_page().encode(), media_type=HTML)


def problem_routes() -> dict[str, Route]:
    """Return a page for each problem `type`, which is also its address."""

    async def get_problem(request: Request) -> Response:
        kind = next(one.value for one in Problem if request.path == f"/problems/{one.value.slug}")
        text = f"{kind.status} {kind.title.in_language(request.language)}\n"
        return Response(status=200, body=text.encode(), media_type=b"text/plain; charset=utf-8")

    return {f"/problems/{problem.value.slug}": Route(methods={"GET": get_problem}) for problem in Problem}


@cache
def _page() -> str:
    problems = "".join(
        f"<tr id='{kind.slug}'><td>{kind.status}</td><td><code>/problems/{kind.slug}</code></td>"
        f"<td>{html.escape(kind.title.en)}</td><td lang='vi'>{html.escape(kind.title.vi)}</td></tr>"
        for kind in (problem.value for problem in Problem)
    )
    types = "".join(f"<li><code>{html.escape(name)}</code></li>" for name in MODEL_OF)
    template = resources.files("services.intake").joinpath("pages/docs.html").read_text("utf-8")
    return template.replace("{problems}", problems).replace("{types}", types)
