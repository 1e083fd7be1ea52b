"""Parse a request to seal: who signs, and which number the new version is expected to get."""

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from schemas.events.reports import VERSION_MAX
from schemas.plan.values import NonBlank
from schemas.text import normal_form
from services.reporting.core.sealing.versions import SealRequest
from services.reporting.http import request_bodies

BODY_BYTES_MAX = 16 * 1024
SIGNER_CHARACTERS_MAX = 200


def _require_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write a name without line breaks and control characters")
    return normal_form.repair_text(text)


class SealBody(BaseModel):
    """The body of a request to seal."""

    model_config = ConfigDict(extra="forbid")

    signer: Annotated[NonBlank, Field(max_length=SIGNER_CHARACTERS_MAX), AfterValidator(_require_printable)]
    version: int | None = Field(default=None, ge=1, le=VERSION_MAX, strict=True)


async def parse_body(request: Request, *, plan: str, period: str) -> SealRequest:
    """Return what the JSON of *request* asks to seal; raise what `request_bodies.describe_invalid_body` says."""
    body = await request_bodies.read_body(request, BODY_BYTES_MAX)
    return _parse(lambda: SealBody.model_validate_json(body), plan=plan, period=period)


def parse_form(fields: Mapping[str, str], *, plan: str, period: str) -> SealRequest:
    """Return what the *fields* of the officer's form ask to seal; raise `InvalidBodyError`."""
    number = fields.get("version", "")
    version = int(number) if number.isascii() and number.isdigit() and len(number) < len(str(VERSION_MAX)) else number
    return _parse(lambda: SealBody(signer=fields.get("signer", ""), version=version), plan=plan, period=period)  # type: ignore[arg-type]  # a number that is none is refused


def _parse(parse: Callable[[], SealBody], *, plan: str, period: str) -> SealRequest:
    try:
        parsed = parse()
    except ValidationError as cause:
        raise request_bodies.describe_invalid_body(cause) from cause
    return SealRequest(plan=plan, period=period, signer=parsed.signer, version=parsed.version)
