"""Intake's description of itself: the OpenAPI document, a page that shows it, and a page for each problem type."""

import html
from functools import cache
from importlib import resources

import msgspec

from schemas.content.figure_findings import FindingKind
from schemas.events.facts import MODEL_OF
from services.intake.asgi import Request, Response
from services.intake.cloudevents import http_binding
from services.intake.core import cloud_event
from services.intake.core.problems import RequestProblem
from services.intake.http import event_schemas
from services.intake.http.event_schemas import reference
from services.intake.http.router import Route

HTML = b"text/html; charset=utf-8"
PLAIN_TEXT = b"text/plain; charset=utf-8"
STATUSES = tuple(sorted({problem.value.status for problem in RequestProblem}))


async def get_openapi(_request: Request) -> Response:
    """Answer with the OpenAPI document."""
    return Response(status=200, body=openapi_document())


async def get_docs(_request: Request) -> Response:
    """Answer with a page for people, which needs neither scripts nor another server."""
    return Response(status=200, body=_render_docs().encode(), media_type=HTML)


def problem_routes() -> dict[str, Route]:
    """Return a route for each problem `type`, whose URI is also the address of its explanation."""

    async def get_problem(request: Request) -> Response:
        problem_type = next(one.value for one in RequestProblem if request.path == f"/problems/{one.value.slug}")
        text = f"{problem_type.status} {problem_type.title.in_language(request.language)}\n"
        return Response(status=200, body=text.encode(), media_type=PLAIN_TEXT)

    return {f"/problems/{problem.value.slug}": Route(methods={"GET": get_problem}) for problem in RequestProblem}


@cache
def _render_docs() -> str:
    problems = "".join(
        f"<tr id='{one.slug}'><td>{one.status}</td><td><code>/problems/{one.slug}</code></td>"
        f"<td>{html.escape(one.title.in_language('en'))}</td><td lang='vi'>{html.escape(one.title.vi)}</td></tr>"
        for one in (problem.value for problem in RequestProblem)
    )
    types = "".join(f"<li><code>{html.escape(name)}</code></li>" for name in MODEL_OF)
    template = resources.files("services.intake.http").joinpath("templates/docs.html").read_text("utf-8")
    return template.replace("{problems}", problems).replace("{types}", types)


@cache
def openapi_document() -> bytes:
    """Return the OpenAPI 3.1 document of this service."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Đôn Đốc intake",
                "version": "1",
                "description": "Takes CloudEvents and answers with signed receipts once nothing can lose them. "
                "An event may have 32 levels of arrays and objects, and no name twice in an object. "
                "Its text is recorded in Unicode NFC. "
                "A key covers agencies, event types, sources and proofs of dispatch. A report whose proof its key does "
                "not cover is taken, counts from its receipt, and is recorded with `dispatchproof: unproven`.",
            },
            "paths": {
                "/v1/events": {"post": _post_operation()},
                "/.well-known/jwks.json": {"get": _get_operation("The keys that receipts are signed with (RFC 7517).")},
            },
            "components": {
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
                "schemas": {
                    **event_schemas.components(),
                    "Receipts": _RECEIPTS,
                    "DryRun": _DRY_RUN,
                    "Problem": _PROBLEM,
                },
            },
        }
    )


def _post_operation() -> dict[str, object]:
    return {
        "operationId": "postEvents",
        "summary": "Hand in events: one (structured or binary mode) or a batch, which is accepted or refused whole.",
        "security": [{"key": []}],
        "parameters": [*_PARAMETERS, *_binary_mode_headers()],
        "requestBody": {
            "required": True,
            "content": {
                http_binding.STRUCTURED_TYPE: {"schema": reference("Event")},
                http_binding.BATCH_TYPE: {
                    "schema": {"type": "array", "items": reference("Event"), "maxItems": cloud_event.BATCH_EVENTS_MAX}
                },
                http_binding.BINARY_TYPE: {
                    "schema": {
                        "anyOf": [reference(model.__name__) for model in MODEL_OF.values()],
                        "description": "The data of the type that `ce-type` names; all attributes are `ce-` headers.",
                    }
                },
            },
        },
        "responses": {
            "200": _json_response("The dry run's answer.", "DryRun"),
            "202": _json_response("Every event is durable.", "Receipts"),
            **{str(status): _refusal_response(status) for status in STATUSES},
        },
    }


def _binary_mode_headers() -> list[dict[str, object]]:
    """Return the `ce-` headers of binary mode. None is marked as required, because the other modes have none."""
    descriptions = {
        name: f"Binary mode: the attribute `{name}`, percent-encoded where it is not ASCII, or in UTF-8 as it is."
        for name in _HEADERS
    }
    descriptions |= {name: f"{descriptions[name]} Required in that mode." for name in cloud_event.REQUIRED_ATTRIBUTES}
    return [
        {"name": f"ce-{name}", "in": "header", "required": False, "schema": schema, "description": descriptions[name]}
        for name, schema in _HEADERS.items()
    ]


def _refusal_response(status: int) -> dict[str, object]:
    titles = [problem.value.title.in_language("en") for problem in RequestProblem if problem.value.status == status]
    language = {"schema": {"enum": ["en", "vi"]}, "description": "Of the problem document."}
    return {
        "description": "; ".join(titles),
        "headers": {"Content-Language": language, **_HEADERS_OF_STATUS.get(status, {})},
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }


def _json_response(description: str, schema: str) -> dict[str, object]:
    return {"description": description, "content": {"application/json": {"schema": reference(schema)}}}


def _get_operation(summary: str) -> dict[str, object]:
    ok = {"description": "OK", "content": {"application/json": {}}}
    return {
        "summary": summary,
        "responses": {"200": ok, "405": _refusal_response(405), "500": _refusal_response(500)},
    }


_TEXT = {"type": "string"}
_PARAMETERS: list[dict[str, object]] = [
    {
        "name": "dry_run",
        "in": "query",
        "schema": {
            "type": "string",
            "pattern": "^([Tt][Rr][Uu][Ee]|1|[Yy][Ee][Ss]|[Ff][Aa][Ll][Ss][Ee]|0|[Nn][Oo])$",
            "default": "false",
        },
        "description": "`true`: answer what would be said of the report and what would be missing; record nothing.",
    },
    {
        "name": "Accept-Language",
        "in": "header",
        "schema": _TEXT,
        "description": "`vi` for Vietnamese.",
    },
]
_HEADER = {"type": "string", "minLength": 1, "pattern": "^[!-~]([ -~]*[!-~])?$"}
_HEADERS: dict[str, dict[str, object]] = {
    "specversion": {"const": "1.0"},
    "id": _HEADER,
    "source": _HEADER,
    "type": {"enum": sorted(MODEL_OF)},
    "subject": _HEADER,
    "time": _HEADER | {"format": "date-time"},
    "dataschema": _HEADER | {"format": "uri"},
}
_RETRY_AFTER: dict[str, object] = {
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}
}
_HEADERS_OF_STATUS: dict[int, dict[str, object]] = {
    401: {"WWW-Authenticate": {"schema": _TEXT}},
    405: {"Allow": {"schema": _TEXT, "description": "The methods that are taken there."}},
    415: {
        "Accept": {"schema": _TEXT, "description": "The media types that are taken, where that was the trouble."},
        "Accept-Encoding": {"schema": _TEXT, "description": "The content coding that is taken, where that was."},
    },
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}
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
_FINDING = {
    "type": "object",
    "required": ["pointer", "code", "kind", "detail"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer to the figure; a ratio is named by its own code."},
        "code": {"type": "string"},
        "kind": {"enum": [one.value for one in FindingKind]},
        "detail": {"type": "object", "properties": {"vi": {"type": "string"}, "en": {"type": "string"}}},
    },
}
_DRY_RUN = {
    "type": "object",
    "required": ["dry_run"],
    "properties": {"dry_run": {"const": True}, "findings": {"type": "array", "items": _FINDING}},
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"enum": [f"/problems/{problem.value.slug}" for problem in RequestProblem]},
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
