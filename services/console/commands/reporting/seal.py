"""`dondoc seal PLAN PERIOD --signer NAME`: freezes the report of a period as its next version.

The request names the number that the version is to get. So it can be sent again when no answer came: whatever became of
it, no second version follows from it.
"""

import time
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from schemas.plan.values import Bilingual
from services.console.support import output, progress, reporting_client
from services.console.support.reporting_client import REPORTING_URL

SEAL_SECONDS = 300.0  # five documents, of which the report on a thousand agencies takes up to ten seconds each
ATTEMPTS = 5
PAUSE_SECONDS = 2.0  # a restart of reporting takes about as long

JsonObject = dict[str, Any]


def seal(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a published plan.")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="A reporting period, for example 2026.")],
    *,
    signer: Annotated[str, typer.Option(metavar="NAME", help="Who signs the report.")],
    as_of: Annotated[str, typer.Option(help="The instant asked about, RFC 3339; default now.")] = "",
    known_at: Annotated[str, typer.Option(help="Only what was recorded by then; default as-of.")] = "",
    url: Annotated[str, typer.Option(envvar="DONDOC_REPORTING_URL", help="Where reporting is.")] = REPORTING_URL,
) -> None:
    """Freeze the report of PLAN for PERIOD as its next version, and print the seal: version, check code, digests."""
    with output.exit_on_errors():
        path = f"/v1/plans/{quote(plan, safe='')}/periods/{quote(period, safe='')}/reports"
        with progress.show_progress("reading what is sealed"):
            found = reporting_client.get(url, path, as_of=as_of, known_at=known_at).json()
        version = len(found["reports"]) + 1
        query = {name: value for name, value in (("as_of", as_of), ("known_at", known_at)) if value}
        with progress.show_progress(f"sealing version {version}"):
            sealed = _post_with_retries(f"{url}{path}", url, query, {"signer": signer, "version": version})
        output.print_json(sealed)
        changes = len(found["draft"]["changes"]) if version > 1 and found["draft"] else 0
        changed, changed_vi = (
            (f", {changes} figures changed since version {version - 1}", f", {changes} số liệu khác bản {version - 1}")
            if version > 1
            else ("", "")
        )
        number, code = sealed["version"], sealed["check_code"]
        output.print_message(
            Bilingual.of(
                en=f"version {number} is sealed, check code {code}{changed}",
                vi=f"đã chốt phiên bản {number}, mã kiểm chứng {code}{changed_vi}",
            )
        )


def _post_with_retries(address: str, url: str, query: dict[str, str], body: JsonObject) -> JsonObject:
    """Post *body* until reporting answers for good; raise `UnusableInputError` with its problem document if it refuses.

    503 is no refusal: records that count are on their way, or another replica is about to seal.
    """

    def post() -> httpx.Response:
        headers = reporting_client.build_headers(url)
        return httpx.post(address, params=query, json=body, timeout=SEAL_SECONDS, headers=headers)

    for _attempt in range(ATTEMPTS - 1):
        with suppress(httpx.TransportError):
            answer = post()
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
        time.sleep(PAUSE_SECONDS)
    else:
        try:
            answer = post()
        except httpx.TransportError as cause:
            raise reporting_client.describe_silence(url, cause) from cause
    sealed: JsonObject = reporting_client.require_success(answer).json()
    return sealed
