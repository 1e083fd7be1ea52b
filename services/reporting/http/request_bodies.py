"""Read the body of a request within bounds of size and time, as bytes or as the fields of a form; say what is wrong."""

import asyncio
from http import HTTPStatus
from urllib.parse import parse_qs

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from schemas import validation_messages
from schemas.plan.values import Bilingual
from schemas.problems import pointer_of
from services.reporting.http.problems import InvalidBodyError, UnreadableBodyError

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

# A form with a text that is far too long is still read, so that the page can say so beside the field.
FORM_BYTES_MAX = 1024 * 1024
FIELDS_MAX = 100

# The same as intake gives a body to arrive.
BODY_SECONDS = 30.0


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Return the body; raise `HTTPException`: 413 if it is larger than *bytes_max*, 408 if it takes too long."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > bytes_max:
                    raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except TimeoutError as cause:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from cause
    return body


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form, of several with one name the last; raise `HTTPException` as `read_body`."""
    return parse_form(request.headers.get("content-type", ""), await read_body(request, FORM_BYTES_MAX))


def parse_form(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields of a form's *body*; none if *content_type* is no form's, or there are too many fields."""
    if content_type.partition(";")[0].strip().lower() != FORM_MEDIA_TYPE:
        return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


def describe_invalid_body(error: ValidationError) -> InvalidBodyError | UnreadableBodyError:
    """Return the problem of a JSON body that does not fit its model: the pointer and the remedy of each error."""
    errors: dict[str, Bilingual] = {}
    for one in error.errors(include_url=False):
        detail = validation_messages.describe_error(one)
        if one["type"] == "json_invalid":
            return UnreadableBodyError(detail)
        errors[pointer_of(*one["loc"])] = detail
    return InvalidBodyError(errors)
