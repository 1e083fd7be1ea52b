"""`?dry_run=true`: asks the rules service how it would assess a report, without recording anything."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from schemas.plan.values import Bilingual
from schemas.problems import FieldError
from services.intake.asgi import RequestRefusedError, Response
from services.intake.core.problems import Refusal, RequestProblem
from services.intake.http.figure_review import FigureReview

# A dry run takes rules milliseconds. Without rules the person shall not wait long for the page without a status.
TIMEOUT_SECONDS = 5.0
RETRY_AFTER_SECONDS = 5

# Requests to rules at a time; a batch may hold a thousand events.
CONCURRENT_REQUESTS_MAX = 8

UNPROCESSABLE = 422

log = logging.getLogger(__name__)


class _RulesError(msgspec.Struct):
    pointer: str
    detail: str


class _RulesRefusal(msgspec.Struct):
    """The problem document of rules if it cannot assess a report."""

    title: str
    errors: list[_RulesError] = []


class DryRunClient:
    """Asks rules about records that could be written."""

    def __init__(
        self, client: httpx.AsyncClient, rules_url: str, *, key: SecretStr | None, review: FigureReview
    ) -> None:
        self._client = client
        self._review = review
        self._url = rules_url.rstrip("/") + "/v1/dry-run"
        self._headers = {"content-type": "application/json"}
        if key is not None:
            self._headers["authorization"] = f"Bearer {key.get_secret_value()}"

    async def assess(self, records: Sequence[bytes], *, is_batch: bool) -> Response:
        """Answer with the assessments of *records*, in order, each with its figures that look like a slip.

        Raises `RequestRefusedError`: with 422 if rules refuses a record, with 503 if it cannot be asked.
        """
        slots = asyncio.Semaphore(CONCURRENT_REQUESTS_MAX)

        async def ask(record: bytes) -> Any:  # noqa: ANN401 - the JSON of rules, passed on
            async with slots:
                assessment = await self._ask(record)
            return {**assessment, "findings": self._review.find_slips(record, assessment)}

        answers = await asyncio.gather(*map(ask, records))
        document = {"dry_run": True, "answers": answers} if is_batch else {"dry_run": True, **answers[0]}
        return Response(status=200, body=msgspec.json.encode(document))

    async def _ask(self, event: bytes) -> dict[str, Any]:
        try:
            response = await self._client.post(self._url, content=event, headers=self._headers, timeout=TIMEOUT_SECONDS)
            if response.status_code == UNPROCESSABLE:
                raise RequestRefusedError(_rules_refusal(response.content))
            response.raise_for_status()
            return msgspec.json.decode(response.content, type=dict[str, Any])
        except (httpx.HTTPError, msgspec.DecodeError) as cause:
            log.warning("rules cannot be asked", exc_info=True, extra={"action": "dry_run_failed"})
            raise RequestRefusedError(_CANNOT_ASK) from cause


def _rules_refusal(body: bytes) -> Refusal:
    document = msgspec.json.decode(body, type=_RulesRefusal)
    errors = tuple(
        FieldError(pointer=one.pointer, detail=Bilingual.of(en=one.detail, vi=_MISMATCH)) for one in document.errors
    )
    return Refusal(
        problem=RequestProblem.INVALID, detail=Bilingual.of(en=document.title, vi=_CANNOT_JUDGE), errors=errors
    )


_CANNOT_ASK = Refusal(
    problem=RequestProblem.UNAVAILABLE,
    detail=Bilingual.of(
        en="rules, which knows what makes a report complete, cannot be asked; try again, or send without dry_run",
        vi="hiện không kiểm tra được mức độ đầy đủ của báo cáo; hãy thử lại hoặc gửi chính thức không dùng dry_run",
    ),
    retry_after_seconds=RETRY_AFTER_SECONDS,
)
_CANNOT_JUDGE = "chưa đánh giá được sự kiện này theo kế hoạch đang áp dụng"
_MISMATCH = "không khớp với kế hoạch hoặc danh mục đơn vị đang áp dụng"
